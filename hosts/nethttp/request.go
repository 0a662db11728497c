package nethttp

// giveBack leaves the request that came as the handler left its copy, but for
// the context: net/http removes the files of its MultipartForm, and middlewares
// outside read its Pattern and path values. A goroutine that outlives the
// handler may ask for its session for the first time, which reads that request.
func (rd *round) giveBack() {
	rd.mu.Lock()
	defer rd.mu.Unlock()
	*rd.request = *rd.inner.WithContext(rd.outer) // the copy stays on the stack
}
