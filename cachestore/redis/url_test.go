package redis

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/coalesce"
)

func TestURLs(t *testing.T) {
	for text, want := range map[string]target{
		"redis://localhost":                                {hosts: []string{"localhost:6379"}},
		"redis://:p%40ss%2F@10.0.0.1:7000/3":               {hosts: []string{"10.0.0.1:7000"}, password: "p@ss/", db: 3},
		"rediss://ada:a:b@[::1]:7000/?prefix=app:":         {tls: true, hosts: []string{"[::1]:7000"}, user: "ada", password: "a:b", prefix: "app:"},
		"redis://[fe80::1]":                                {hosts: []string{"[fe80::1]:6379"}},
		"redis+cluster://a,b:7001,c:7002/0":                {cluster: true, hosts: []string{"a:6379", "b:7001", "c:7002"}},
		"rediss+cluster://u:p@a:1?prefix=x":                {tls: true, cluster: true, hosts: []string{"a:1"}, user: "u", password: "p", prefix: "x"},
		"redis+sentinel://a,b:1/main":                      {hosts: []string{"a:26379", "b:1"}, master: "main"},
		"redis+sentinel://u:p@a/main/2?prefix=x":           {hosts: []string{"a:26379"}, master: "main", db: 2, user: "u", password: "p", prefix: "x"},
		"redis://u:" + strings.Repeat("x", 300) + "@h:1/0": {hosts: []string{"h:1"}, user: "u", password: strings.Repeat("x", 300)},
	} {
		got, err := parseURL(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
}

// What is refused is never shown: it may be a password at the wrong place.
func TestBadURLs(t *testing.T) {
	const secret = "hunter2"
	for _, text := range []string{
		"", secret, "redis", "redis:" + secret, "http://" + secret, "redis+" + secret + "://h", "REDIS://h", "redis+cluster+x://h", "mysql+cluster://h",
		"redis://", "redis://:" + secret + "@", "redis://" + secret + "@h", "redis://u:" + secret + "@h:0", "redis://u:" + secret + "@h:99999", "redis://u:" + secret + "@h:x",
		"redis://u:%zz" + secret + "@h", "redis://%zz:" + secret + "@h", "redis://a,b", "redis://h/" + secret, "redis://h/-1", "redis+cluster://h/1",
		"redis+sentinel://h", "redis+sentinel://h/", "redis+sentinel://h/m/" + secret, "redis://h?" + secret + "=1", "redis://h?prefix=%zz" + secret,
		"redis+cluster://" + strings.Repeat("h,", 70) + "h", "redis://h/1/2",
	} {
		_, err := Open(background, text, Options{})
		var refused *hosts.ConfigError
		require.ErrorAs(t, err, &refused, text)
		require.Equal(t, "URL", refused.Field, text)
		require.NotContains(t, err.Error(), secret)
	}
}

// TestBadURLsSayWhatIsAllowed, and of the URL the scheme.
func TestBadURLsSayWhatIsAllowed(t *testing.T) {
	for text, want := range map[string]string{
		"http://h":           `URL is "..."; allowed: redis://user:password@host:port/db, `,
		"redis://h/hunter2":  `URL is "redis://..."; allowed: a database from 0, in a cluster only 0; as in redis://`,
		"redis://h?x=1":      `URL is "redis://..."; allowed: no option but prefix; as in `,
		"redis://a,b":        `URL is "redis://..."; allowed: one host; several in a cluster or with sentinels; as in `,
		"redis://h:99999":    `URL is "redis://..."; allowed: 1 to 64 hosts, with ports from 1 to 65535; as in `,
		"redis://hunter2@h":  `URL is "redis://..."; allowed: user:password, or :password alone; as in `,
		"redis+sentinel://h": `URL is "redis+sentinel://..."; allowed: the name of the primary behind the sentinels; as in `,
	} {
		_, err := Open(background, text, Options{})
		require.ErrorContains(t, err, want, text)
	}
}

func TestBadOptions(t *testing.T) {
	for field, o := range map[string]Options{
		"Prefix":                      {Prefix: "a{b}:"},
		"Retention":                   {Retention: time.Second},
		"Timeout":                     {Timeout: -time.Second},
		"WaitTimeout":                 {WaitTimeout: 5 * time.Second},
		"WaitReplicas":                {WaitReplicas: -1},
		"Cache":                       {Cache: -1},
		"coalesce.Options.Workers":    {Coalescing: coalesce.Options{Workers: -1}},
		"coalesce.Options.Timeout":    {Coalescing: coalesce.Options{Timeout: -1}},
		"coalesce.Options.BatchCalls": {Coalescing: coalesce.Options{BatchCalls: -3}},
	} {
		err := o.fill()
		var refused *hosts.ConfigError
		if err == nil {
			_, err = coalesce.New(&part{}, o.Coalescing)
		}
		require.ErrorAs(t, err, &refused, field)
		require.Equal(t, field, refused.Field)
	}
	for _, prefix := range []string{"a b", "a\n", "ä", "}", strings.Repeat("x", 65)} {
		_, err := Open(background, "redis://h", Options{Prefix: prefix})
		require.Error(t, err, prefix)
		_, err = Open(background, "redis://h?prefix="+strings.ReplaceAll(prefix, "\n", "%0a"), Options{})
		require.Error(t, err, prefix)
	}
}
