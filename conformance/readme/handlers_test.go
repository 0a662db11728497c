package readme

import (
	"fmt"
	"log"
	"net/http"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

func visit(s *nethttp.Session, _ *http.Request) (string, error) {
	n, err := s.Add("visits", 1) // all count, also those at the same moment
	return fmt.Sprint("visit ", n), err
}

type cart struct{ Items []string }

func add(s *nethttp.Session, r *http.Request) (string, error) {
	item := r.FormValue("item")
	return "added " + item, hosts.Update(s, "cart", func(c cart) (cart, error) { // runs again if another was faster
		c.Items = append(c.Items, item)
		return c, nil
	})
}

func show(s *nethttp.Session, _ *http.Request) (string, error) {
	c, _ := hosts.Get[cart](s, "cart") // empty at first
	return fmt.Sprint(len(c.Items), " in the cart: ", c.Items), nil
}

func page(f func(*nethttp.Session, *http.Request) (string, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text := ""
		s, err := nethttp.From(r)
		if err == nil {
			text, err = f(s, r)
		}
		if err != nil {
			log.Print(err)
			status, sentence := nethttp.Failure(err) // 503 if the store is down, 500 if mw.Handler is missing
			http.Error(w, sentence, status)
			return
		}
		fmt.Fprintln(w, text)
	}
}
