package demo

import (
	"net/http"
	"time"

	"github.com/rockstar-web/sessions"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// A product is kept in the cart as a count under a name of its own, changed by
// Update: an item added in two tabs at once is there twice.
type product struct {
	SKU, Name, About string
	Cents            int
}

func (p product) count() sessions.Typed[int] { return sessions.Value[int]("cart." + p.SKU) }

var catalogue = []product{
	{"tea", "Oolong tea", "Rolled by hand, 100 g", 1450},
	{"lamp", "Desk lamp", "Warm light, brass", 8900},
	{"book", "Notebook", "Dotted, 192 pages", 1890},
	{"pen", "Fountain pen", "Fine nib, refillable", 5400},
	{"mug", "Stoneware mug", "Holds 350 ml", 2200},
	{"radio", "Small radio", "Medium wave, too", 12900},
}

// cartChanged is when; of two tabs, the later wins.
var cartChanged = sessions.Value[time.Time]("cart_changed").LastWins()

const maxCount = 99 // of one product

type cartLine struct {
	product
	Count int
	Sum   int // cents
}

type cartView struct {
	Lines   []cartLine // with a count
	Others  []product
	Sum     int
	Changed time.Time
}

func (s *site) cartPage(w http.ResponseWriter, r *http.Request) {
	v, err := nethttp.From(r)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	var cart cartView
	for _, p := range catalogue {
		n, err := p.count().Get(v)
		if err != nil {
			s.failed(w, r, err)
			return
		}
		if n <= 0 {
			cart.Others = append(cart.Others, p)
			continue
		}
		cart.Lines = append(cart.Lines, cartLine{p, n, n * p.Cents})
		cart.Sum += n * p.Cents
	}
	if cart.Changed, err = cartChanged.Get(v); err != nil {
		s.failed(w, r, err)
		return
	}
	s.show(w, r, http.StatusOK, "cart", "Cart", cart)
}

func (s *site) postCart(w http.ResponseWriter, r *http.Request) {
	v, err := nethttp.From(r)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	for _, p := range catalogue {
		if p.SKU != r.PostForm.Get("sku") {
			continue
		}
		if err := s.changeCart(v, p, r.PostForm.Get("do")); err != nil {
			s.pageTrouble(w, r, err)
			return
		}
	}
	s.again(w, r, "/cart", "")
}

func (s *site) changeCart(v *nethttp.Session, p product, do string) error {
	by, known := map[string]int{"add": 1, "less": -1, "remove": -maxCount}[do]
	if !known {
		return nil
	}
	if err := p.count().Update(v, func(n int) (int, error) {
		return min(max(n+by, 0), maxCount), nil
	}); err != nil {
		return err
	}
	return cartChanged.Put(v, s.now())
}
