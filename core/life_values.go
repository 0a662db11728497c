package core

// Value returns the CBOR of a value. It is not to be changed.
func (s *Session) Value(name string) (value []byte, ok bool) {
	return s.cur.value(name)
}

// SetValue keeps a value, deterministic CBOR as AppendValue makes it. The
// bytes are the session's from now on.
func (s *Session) SetValue(name string, value []byte) error {
	if err := s.replace(name, value); err != nil {
		return err
	}
	s.wrote(name)
	return nil
}

// replace keeps a value, whatever it is made of.
func (s *Session) replace(name string, value []byte) error {
	if !validValueName(name) {
		return ErrValueName
	}
	if err := CheckValue(value); err != nil {
		return err
	}
	size := s.cur.size + len(value)
	if old, ok := s.Value(name); ok {
		size -= len(old)
	} else {
		size += itemOverhead + len(name)
	}
	if size > s.m.policy.SessionSize && size > s.cur.size { // a limit that was lowered later refuses growth alone
		return &SizeError{name, size, s.m.policy.SessionSize}
	}
	if err := s.state.step(verbChange); err != nil {
		return err
	}
	s.own()
	s.cur.set(name, value)
	return nil
}

// DeleteValue removes a value; a missing one is no error.
func (s *Session) DeleteValue(name string) error {
	if err := s.state.step(verbChange); err != nil {
		return err
	}
	s.remove(name)
	if validValueName(name) {
		s.wrote(name)
	}
	return nil
}

func (s *Session) remove(name string) {
	if at, ok := s.cur.find(name); ok {
		s.own()
		s.cur.remove(at)
	}
}

// restore makes a value what it was, or none: that fitted before.
func (s *Session) restore(name string, value []byte, ok bool) {
	s.remove(name)
	if !ok {
		return
	}
	s.own()
	s.cur.set(name, value)
}

// stored returns a value as it was loaded or stored last.
func (s *Session) stored(name string) (value []byte, ok bool) {
	return s.in.data.value(name)
}

// ClearValues removes every value that this view shows.
func (s *Session) ClearValues() error {
	if err := s.state.step(verbChange); err != nil {
		return err
	}
	for i := range s.cur.len() {
		s.wrote(string(s.cur.item(i).name))
	}
	s.cur, s.owned = values{}, true
	return nil
}

func (s *Session) own() {
	if !s.owned {
		s.cur, s.owned = s.cur.copied(), true
	}
}
