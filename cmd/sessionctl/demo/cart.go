package demo

import (
	"cmp"
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

// Full is at the most that the cart takes.
func (l cartLine) Full() bool { return l.Count >= maxCount }

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
	if user := r.PostForm.Get("user"); user != "" && user != v.User() { // of the page, which is old
		if v.User() != "" {
			s.again(w, r, "/cart", "other-user")
			return
		}
		s.unauthorized(w, r, cmp.Or(v.Refusal(), nethttp.ErrNotSignedIn))
		return
	}
	control := ""
	for _, p := range catalogue {
		if p.SKU != r.PostForm.Get("sku") {
			continue
		}
		if control, err = s.changeCart(v, p, r.PostForm.Get("do")); err != nil {
			s.pageTrouble(w, r, err)
			return
		}
	}
	s.again(w, r, "/cart"+control, "")
}

// changeCart returns the fragment of the control that was pressed, so that the keyboard
// goes on there: "less" and "remove" of the last leave only "add".
func (s *site) changeCart(v *nethttp.Session, p product, do string) (control string, err error) {
	by, known := map[string]int{"add": 1, "less": -1, "remove": -maxCount}[do]
	if !known {
		return "", nil
	}
	if err := p.count().Update(v, func(n int) (int, error) {
		n = min(max(n+by, 0), maxCount)
		if control = "#" + p.SKU + "-" + do; n == 0 {
			control = "#" + p.SKU + "-add"
		}
		return n, nil
	}); err != nil {
		return "", err
	}
	return control, cartChanged.Put(v, s.now())
}
