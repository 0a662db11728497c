package fibersessions

import (
	"context"
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v3"
	"github.com/valyala/fasthttp"
)

// request copies a request, but for its body, out of fasthttp's memory.
func request(c fiber.Ctx) *http.Request {
	from := c.RequestCtx()
	r := &http.Request{
		Method: string(from.Method()), RequestURI: string(from.RequestURI()), Host: string(from.Host()),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header(&from.Request.Header), Body: http.NoBody,
		RemoteAddr: from.RemoteAddr().String(), TLS: from.TLSConnectionState(),
	}
	var err error
	if r.URL, err = url.ParseRequestURI(r.RequestURI); err != nil {
		r.URL = &url.URL{Path: string(from.Path())}
	}
	// The development mode and Options.TrustUnixSocket go by our end of the connection.
	return r.WithContext(context.WithValue(c.Context(), http.LocalAddrContextKey, from.LocalAddr()))
}

// header copies all fields but Host, which net/http keeps apart, in few allocations.
func header(from *fasthttp.RequestHeader) http.Header {
	text, count := make([]byte, 0, 1024), 0
	for name, value := range from.All() {
		text = append(append(text, name...), value...)
		count++
	}
	all, values, to := string(text), make([]string, count), make(http.Header, count)
	for name, value := range from.All() {
		key := http.CanonicalHeaderKey(all[:len(name)])
		values[0] = all[len(name) : len(name)+len(value)]
		switch {
		case key == "Host":
		case to[key] == nil:
			to[key] = values[:1:1]
		default:
			to[key] = append(to[key], values[0])
		}
		all, values = all[len(name)+len(value):], values[1:]
	}
	return to
}
