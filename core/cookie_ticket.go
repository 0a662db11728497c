package core

import "slices"

// generation tells the secrets of one session apart. Every login and privilege
// change begins a new chain; a periodic renewal is one step in it.
type generation struct{ chain, step uint32 }

// Ticket is what an authentic cookie says: which session, and by what right.
type Ticket struct {
	ID      ID
	secret  hidden
	gen     generation
	epoch   uint32
	old     bool // sealed under a key that no longer seals
	trusted bool // not from a visitor: see ByID
}

// ByID returns the ticket of a program that handles a session by its ID, with
// no visitor behind it: nothing is proven, bound or counted as a use.
func ByID(id ID) Ticket { return Ticket{ID: id, trusted: true} }

// insertTicket keeps one ticket for each session, its latest generation, and
// orders sessions by the hour of sealing, the newest first.
func insertTicket(tickets []Ticket, t Ticket) []Ticket {
	for i := range tickets {
		old := &tickets[i]
		if old.ID != t.ID {
			continue
		}
		if !t.later(old) {
			return tickets
		}
		tickets = slices.Delete(tickets, i, i+1)
		break
	}
	tickets = append(tickets, t)
	for i := len(tickets) - 1; i > 0 && tickets[i].epoch > tickets[i-1].epoch; i-- {
		tickets[i], tickets[i-1] = tickets[i-1], tickets[i]
	}
	return tickets
}

// later compares two tickets of one session: by chain, step, then epoch.
func (t *Ticket) later(old *Ticket) bool {
	switch {
	case t.gen.chain != old.gen.chain:
		return t.gen.chain > old.gen.chain
	case t.gen.step != old.gen.step:
		return t.gen.step > old.gen.step
	}
	return t.epoch > old.epoch
}
