package keys

// Usable returns nil if the principal may seal and open with the key in this Region now. Otherwise the error is an
// *Error with the reason. It counts nothing: an operator asks it before a Region is added.
func (u *Use) Usable() error {
	r := u.ring
	r.mu.Lock()
	defer r.mu.Unlock()
	i, err := r.find(u.id)
	if err != nil {
		return err
	}
	for _, a := range []Action{ActionEncrypt, ActionDecrypt} {
		if err := r.records[i].allows(u.principal, a, EncryptDecrypt, r.cfg.Region); err != nil {
			return err
		}
	}
	return nil
}
