package main

import (
	"errors"
	"fmt"
	"os"

	"xrdpfix/diagnose"
	"xrdpfix/internal/host"
	"xrdpfix/repair"
)

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

// journals are the applies so far, newest first; a damaged one is among them.
func (a *app) journals(m *host.Machine) ([]repair.Journal, error) {
	list, err := m.Store().List()
	switch {
	case errors.Is(err, host.ErrUntrusted):
		return nil, fail(7, reasonUntrusted, fmt.Errorf("%w, and a rollback does what it says there", err),
			"look who could write there; if nobody did: chown -R root:root "+host.StateDir+" && chmod -R go= "+host.StateDir+"/journal")
	case errors.Is(err, os.ErrPermission):
		return nil, fail(6, reasonNotPermitted, errors.New("only root can read the journals"), "sudo xrdpfix history")
	}
	return list, err
}

// damagedFailure is a refusal to go on with, or in spite of, a journal that
// cannot be read.
func damagedFailure(j repair.Journal) error {
	return fail(7, reasonDamaged, fmt.Errorf("the journal of the apply %s cannot be read, so that it is not known what it changed: %s", j.ID, j.Damage),
		"what it saved is in "+j.Place+"; compare it with what is in force, then: "+diagnose.SetAside(j.Place))
}
