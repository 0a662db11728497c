package nethttp

import (
	"fmt"
	"io"
)

// A request's context and its writer hold the request, whose header has the
// cookie. Printed, they only say what they are.

const (
	contextText = "context of a request with a session"
	writerText  = "writer of an answer with a session"
)

// Format implements fmt.Formatter, for every verb.
func (c *requestContext) Format(to fmt.State, _ rune) { _, _ = io.WriteString(to, contextText) }

// Format implements fmt.Formatter, for every verb.
func (w *writer) Format(to fmt.State, _ rune) { _, _ = io.WriteString(to, writerText) }

// MarshalText is for JSON and logs.
func (c *requestContext) MarshalText() ([]byte, error) { return []byte(contextText), nil }

// MarshalText is for JSON and logs.
func (w *writer) MarshalText() ([]byte, error) { return []byte(writerText), nil }
