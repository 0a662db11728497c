package core

// Machine decides everything about sessions and does nothing: it reads no
// clock, draws no randomness and asks no store. The same inputs give the same
// outputs, bytes included. It is safe for concurrent use; its cache of ready
// ciphers is the only thing in it that changes.
type Machine struct {
	policy   Policy
	ring     *ring
	warnings []string
}

// NewMachine checks the policy, fills in its defaults, and checks the keys. A
// *PolicyError or one of the key errors tells what is refused.
func NewMachine(p Policy, keys KeyRing) (*Machine, error) {
	p = p.withDefaults()
	if err := p.check(); err != nil {
		return nil, err
	}
	r, err := newRing(keys, p.MaxLifetime)
	if err != nil {
		return nil, err
	}
	return &Machine{policy: p, ring: r, warnings: r.warnings(p.Lifetime)}, nil
}

// NewRules returns a Machine without keys, for the host of a guest that has
// them: it makes and changes sessions by the same policy, but opens and seals
// nothing. A policy is checked as by NewMachine.
func NewRules(p Policy) (*Machine, error) {
	p = p.withDefaults()
	if err := p.check(); err != nil {
		return nil, err
	}
	return &Machine{policy: p, ring: emptyRing(p.MaxLifetime)}, nil
}

// Policy returns the policy in force, defaults filled in.
func (m *Machine) Policy() Policy { return m.policy }

// Warnings tells what is allowed but likely a mistake.
func (m *Machine) Warnings() []string { return m.warnings }

// New returns a session that is not stored: an anonymous visitor. Nothing is
// stored until something is in it.
func (m *Machine) New(q Request) *Session {
	return &Session{m: m, req: q, rec: Record{Tenant: q.Tenant}}
}
