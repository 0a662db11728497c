package fibersessions

import (
	"context"
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v3"
)

// request copies a request, but for its body, out of fasthttp's memory.
func request(c fiber.Ctx) *http.Request {
	from := c.RequestCtx()
	r := &http.Request{
		Method: string(from.Method()), RequestURI: string(from.RequestURI()), Host: string(from.Host()),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: http.NoBody,
		RemoteAddr: from.RemoteAddr().String(), TLS: from.TLSConnectionState(),
	}
	for name, value := range from.Request.Header.All() {
		r.Header.Add(string(name), string(value))
	}
	r.Header.Del("Host") // as net/http has it
	var err error
	if r.URL, err = url.ParseRequestURI(r.RequestURI); err != nil {
		r.URL = &url.URL{Path: string(from.Path())}
	}
	// The development mode and Options.TrustUnixSocket go by our end of the connection.
	return r.WithContext(context.WithValue(c.Context(), http.LocalAddrContextKey, from.LocalAddr()))
}
