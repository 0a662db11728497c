package nethttp

import (
	"context"
	"errors"
	"net/http"
)

// Discard drops what the request has changed and not stored yet, as if it had not
// asked for the session. Call it for a handler that has failed. Later changes are
// stored as usual, such as the flash message of an error page. What Destroy, Take
// and the manager's methods have stored at once stays. Once the answer has begun,
// Discard does nothing.
//
// If something had changed, the session is loaded again. An error wraps
// hosts.ErrUnavailable: then nothing of the request is stored, and every method of
// the session returns it.
func (v *Session) Discard() error {
	rq := v.request
	rq.mu.Lock()
	defer rq.mu.Unlock()
	switch {
	case v.updating.Load():
		return ErrUpdating
	case !v.loaded || v.dead != nil || rq.sent.Load() || rq.over.Load():
		return nil
	}
	v.x.Context = (*requestContext)(rq) // that of the handler may have run out
	v.err = rq.middleware.manager.Discard(&v.x)
	v.loaded, v.firm = v.err == nil, false
	return v.err
}

// Reject is for adapters of frameworks: it does with the error of a handler what
// HandlerFunc does, but for the answer. What the request in ctx has changed is
// discarded, unless the error is ErrNotSignedIn. The status and the text are those
// of [Failure]. An error that is not ours is the application's, which may know
// better; one that is ours and a fault of the program is logged.
func Reject(ctx context.Context, err error) (status int, text string, ours bool) {
	inner := requestOf(ctx, nil)
	if !errors.Is(err, ErrNotSignedIn) {
		for rq := inner; rq != nil; rq = requestOf(rq.outer, nil) {
			if v := rq.opened.Load(); v != nil {
				_ = v.Discard() // what the verbs return from then on
			}
		}
	}
	status, text, ours = answerTo(err)
	if inner != nil && ours && status == http.StatusInternalServerError && !errors.Is(err, ErrBypassed) {
		inner.middleware.manager.Failed(err)
	}
	return status, text, ours
}
