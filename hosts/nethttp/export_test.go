package nethttp

// ForgetUnwrapped begins the minute anew in which a missing middleware is logged once.
func ForgetUnwrapped() {
	unwrapped.next.Store(0)
	unwrapped.since.Store(0)
}
