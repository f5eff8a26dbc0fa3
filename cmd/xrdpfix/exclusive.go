package main

import "xrdpfix/internal/host"

// openToChange opens the machine for somebody who may change it. The caller
// closes it.
func (a *app) openToChange() (*host.Machine, error) {
	m, err := a.open(a.global.root)
	if err != nil {
		return nil, err
	}
	if !m.MayChange() {
		m.Close()
		return nil, a.notRoot()
	}
	return m, nil
}

// openAlone is openToChange with the lock that keeps other runs away. The caller
// calls release, which gives both back.
func (a *app) openAlone() (m *host.Machine, release func(), err error) {
	m, err = a.openToChange()
	if err != nil {
		return nil, nil, err
	}
	unlock, err := m.Lock()
	if err != nil {
		m.Close()
		return nil, nil, lockFailure(err)
	}
	return m, func() { unlock(); m.Close() }, nil
}
