package mission

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// databases are the rows of the guide's recommended backend, and of what
// servers share.
var databases = []row{
	{"27", survivesRestart}, {"28", serversSeeEachOther}, {"29", databaseAnswers}, {"30", databaseIsCleaned}, {"76", productionConfig},
}

func survivesRestart(t *testing.T, b backend) {
	s := open(t, b, setup{})
	ann, gone := s.browser(), s.browser()
	id := ann.login("/verbs", "ann")
	ann.during(func(x *hosts.Request, w http.ResponseWriter) {
		session := s.session(x)
		session.Data = someValues()
		require.NoError(t, s.manager.Save(x, session))
	}).is(http.StatusOK)
	gone.login("/middleware", "ben")
	gone.post("/middleware/logout").is(http.StatusOK)
	for range 2 {
		s = s.restart()
		ann.to(s).during(func(x *hosts.Request, w http.ResponseWriter) {
			session := s.session(x)
			require.Equal(t, id, session.ID)
			sameValues(t, someValues(), session.Data)
		}).is(http.StatusOK)
		gone.to(s).get("/middleware/me").refused(core.ReasonNone)
		page, _, err := s.manager.Sessions(t.Context(), hosts.Query{AnyTenant: true, AnyUser: true}, core.ID{}, 0)
		require.NoError(t, err)
		require.Len(t, page, 1)
	}
}

func serversSeeEachOther(t *testing.T, b backend) {
	here := open(t, b, setup{})
	there := here.twin()
	require.NotSame(t, here.store, there.store)
	for n, style := range append(styles, styles...) {
		ann := here.browser()
		id := ann.login(style, "ann")
		for i := range 5 { // each request on the other server
			ann = ann.to([]*site{there, here}[i%2])
			require.EqualValues(t, i+1, ann.post(style+"/count").is(http.StatusOK).field("n"))
		}
		eve := ann.thief()
		ended, other := here, there
		if n%2 == 1 {
			ended, other = there, here
		}
		eve.to(other).get(style + "/me").is(http.StatusOK)
		ann.to(ended).post(style + "/logout").is(http.StatusOK)
		eve.to(other).get(style + "/me").refused(core.ReasonUnknown)
		require.ErrorIs(t, other.manager.Set(t.Context(), id, "late", 1), core.ErrNotFound)
	}
}

// aShop has sessions of two users in two tenants and of a visitor, which begin
// an hour apart.
func aShop(t *testing.T, b backend) *site {
	s := open(t, b, setup{Options: byHost})
	for _, who := range []string{"ann@red", "ann@red", "ann@blue", "ben@red"} {
		user, tenant, _ := strings.Cut(who, "@")
		visitor := s.browser()
		visitor.host = tenant + ".example.com"
		visitor.login("/verbs", user)
		s.clock.pass(time.Hour)
	}
	visitor := s.browser()
	visitor.host = "blue.example.com"
	visitor.post("/middleware/count").is(http.StatusOK)
	return s
}

func databaseAnswers(t *testing.T, b backend) {
	s := aShop(t, b)
	begin := newClock().Now()
	for where, q := range map[string]struct {
		api  hosts.Query
		want string
	}{
		"":                                       {hosts.Query{AnyTenant: true, AnyUser: true}, "5"},
		"user_id = 'ann'":                        {hosts.Query{AnyTenant: true, User: "ann"}, "3"},
		"user_id = ''":                           {hosts.Query{AnyTenant: true, Anonymous: true}, "1"},
		"tenant_id = 'red'":                      {hosts.Query{Tenant: "red", AnyUser: true}, "3"},
		"tenant_id = 'red' AND user_id = 'ann'":  {hosts.Query{Tenant: "red", User: "ann"}, "2"},
		"tenant_id = 'red' AND user_id = 'carl'": {hosts.Query{Tenant: "red", User: "carl"}, "0"},
		fmt.Sprintf("expires_at < %d", begin+25*core.Hour): {hosts.Query{AnyTenant: true, AnyUser: true, ExpiresBefore: begin + 25*core.Hour}, "2"},
	} {
		query := "SELECT COUNT(*) FROM TABLE"
		if where != "" {
			query += " WHERE " + where
		}
		require.Equal(t, []string{q.want}, s.rows(query), where)
		page, _, err := s.manager.Sessions(t.Context(), q.api, core.ID{}, 0)
		require.NoError(t, err)
		require.Equal(t, q.want, fmt.Sprint(len(page)), where)
	}
	var want []string
	page, _, err := s.manager.Sessions(t.Context(), hosts.Query{AnyTenant: true, AnyUser: true}, core.ID{}, 0)
	require.NoError(t, err)
	for _, session := range page {
		want = append(want, fmt.Sprint(session.CreatedAt.UnixMilli(), session.LastSeenAt.UnixMilli()))
	}
	slices.Sort(want)
	require.Equal(t, want, s.rows("SELECT created_at, seen_at FROM TABLE ORDER BY created_at"))
}

func databaseIsCleaned(t *testing.T, b backend) {
	c := newClock()
	s := open(t, b, setup{Config: hosts.Config{CleanupInterval: time.Millisecond, Clock: c}})
	for range 3 {
		s.browser().login("/verbs", "old")
	}
	c.pass(24 * time.Hour)
	ann := s.browser()
	ann.login("/verbs", "ann")
	s.swept(1)
	require.Equal(t, []string{"4"}, s.rows("SELECT COUNT(*) FROM TABLE"), "retained, so that the reason can be told")
	c.pass(time.Hour + time.Millisecond)
	s.swept(2)
	require.Equal(t, []string{"ann"}, s.rows("SELECT user_id FROM TABLE"))
	ann.get("/verbs/me").is(http.StatusOK)
}

// productionConfig is the guide's advice for production, on two servers, one of
// which is replaced while visitors are signed in.
func productionConfig(t *testing.T, b backend) {
	t.Setenv("SESSION_ENCRYPTION_KEY", "9c1d7e02b4a85f6633e0c1f7a2d9584e7b06f1c8d35a92e4406bd7c8f1a35e29")
	config, err := hosts.ConfigFromEnv()
	require.NoError(t, err)
	config.SameSite, config.Lifetime = core.SameSiteStrict, 2*time.Hour
	one := open(t, b, setup{Config: config})
	two := one.twin()
	ann, eve := one.browser(), one.browser()
	c := ann.post("/middleware/login?user=ann").is(http.StatusOK).cookie()
	require.Equal(t, "rockstar_session=; Path=/; Max-Age=7200; HttpOnly; Secure; SameSite=Strict", strings.Replace(c.Raw, c.Value, "", 1))
	protected := func(s *site) http.HandlerFunc {
		return s.mw.Handler(s.mw.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))).ServeHTTP
	}
	ann.call("/account", protected(one)).is(http.StatusOK)
	ann.to(two).call("/account", protected(two)).is(http.StatusOK)
	eve.call("/account", protected(one)).is(http.StatusUnauthorized)
	one = one.restart()
	ann.to(one).call("/account", protected(one)).is(http.StatusOK)
	ann.visiting(func(v *nethttp.Session, w http.ResponseWriter) { require.NoError(t, v.Put("cart", []string{"book"})) }).is(http.StatusOK)
	thief := ann.thief()
	ann.post("/middleware/logout").is(http.StatusOK)
	thief.to(two).call("/account", protected(two)).refused(core.ReasonUnknown)
	for _, s := range []*site{one, two} {
		require.NotContains(t, s.log.String(), "WARN")
		require.NotContains(t, s.log.String(), "ERROR")
	}
}

// serversShare: what servers keep in Redis, in a cluster on all of its nodes, is
// one set of sessions.
func serversShare(t *testing.T, b backend) {
	serversSeeEachOther(t, b)
	here := open(t, b, setup{})
	there := here.twin()
	var anns []*browser
	for i := range 40 {
		ann := []*site{here, there}[i%2].browser()
		ann.login("/verbs", "ann")
		anns = append(anns, ann)
	}
	for _, s := range []*site{here, there} {
		page, _, err := s.manager.Sessions(t.Context(), hosts.Query{User: "ann"}, core.ID{}, 0)
		require.NoError(t, err)
		require.Len(t, page, len(anns))
	}
	ended, err := there.manager.Revoke(t.Context(), hosts.Query{User: "ann"})
	require.NoError(t, err)
	require.Equal(t, len(anns), ended)
	for _, ann := range anns {
		ann.to(here).get("/verbs/me").refused(core.ReasonUnknown)
	}
}

// indexes asks each database for the columns of the indexes of a table.
var indexes = map[string]string{
	"sqlite": `SELECT group_concat(x.name) FROM pragma_index_list('TABLE') i, pragma_index_info(i.name) x GROUP BY i.name`,
	"postgres": `SELECT string_agg(a.attname, ',' ORDER BY k.n) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
		CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY k(number, n) JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
		WHERE c.relname = 'TABLE' GROUP BY i.indexrelid`,
	"mysql": `SELECT group_concat(column_name ORDER BY seq_in_index) FROM information_schema.statistics
		WHERE table_schema = database() AND table_name = 'TABLE' GROUP BY index_name`,
}

// indexedSchema: who asks by ID, user, tenant or expiry is served by an index.
func indexedSchema(t *testing.T, b backend) {
	s := aShop(t, b)
	found := s.rows(indexes[b.name])
	for _, columns := range []string{"id", "user_id,tenant_id", "tenant_id", "expiry_hour"} {
		require.True(t, slices.ContainsFunc(found, func(index string) bool {
			return strings.HasPrefix(index+",", columns+",")
		}), "%s among %v", columns, found)
	}
	require.Equal(t, []string{"2"}, s.rows("SELECT version FROM TABLE_schema"), "it knows its version")
}
