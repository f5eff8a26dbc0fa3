package repair

import "errors"

// Forget removes a journal.
func (m *machine) Forget(id string) (dir string, err error) {
	err = m.call(true, "forget "+id, func() error {
		if _, ok := m.journals[id]; !ok {
			return errors.New("no such journal")
		}
		delete(m.journals, id)
		return nil
	})
	return "/journal/" + id, err
}
