package hosts

// Bypassed reports requests whose answers were written past the session's, by a
// mistake of the program, which err tells with its remedy. lost: they would have
// changed their sessions; else those were only read, and the answers lack Vary.
func (m *Manager) Bypassed(err error, lost bool, requests int) {
	text := "sessions: a session was read for an answer without Vary: Cookie"
	if lost {
		text = "sessions: changes of a session are not stored"
	}
	m.events.logger.Error(text, "error", err, "requests", requests)
}
