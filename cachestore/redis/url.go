package redis

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/rockstar-web/sessions/hosts"
)

// Shapes of a URL, for people.
const allowedURLs = "redis://user:password@host:port/db, redis+cluster://host:port,host:port or redis+sentinel://host:port,host:port/name/db; " +
	"rediss for TLS; ?prefix=app:"

const (
	redisPort    = "6379"
	sentinelPort = "26379"
	maxHosts     = 64
)

// target is what a URL names.
type target struct {
	tls, cluster   bool
	hosts          []string // host:port
	user, password string
	master         string // of sentinels
	db             int
	prefix         string // "" if the URL has none
}

// parseURL reads a URL by hand: package net/url takes one host, and its errors
// show the password.
func parseURL(text string) (target, error) {
	var g target
	scheme, rest, ok := strings.Cut(text, "://")
	kind, topology, _ := strings.Cut(scheme, "+")
	g.tls, g.cluster = kind == "rediss", topology == "cluster"
	sentinel := topology == "sentinel"
	if !ok || kind != "redis" && kind != "rediss" || !slices.Contains([]string{"redis", "redis+cluster", "redis+sentinel"}, strings.Replace(scheme, "rediss", "redis", 1)) {
		return g, badURL("...", "")
	}
	shown := scheme + "://..."
	rest, query, _ := strings.Cut(rest, "?")
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		if err := g.login(shown, rest[:i]); err != nil {
			return g, err
		}
		rest = rest[i+1:]
	}
	list, path, _ := strings.Cut(rest, "/")
	port := redisPort
	if sentinel {
		port = sentinelPort
		g.master, path, _ = strings.Cut(path, "/")
		if g.master == "" {
			return g, badURL(shown, "the name of the primary behind the sentinels")
		}
	}
	if err := g.addresses(shown, list, port); err != nil {
		return g, err
	}
	if len(g.hosts) > 1 && !g.cluster && !sentinel {
		return g, badURL(shown, "one host; several in a cluster or with sentinels")
	}
	if path != "" {
		db, err := strconv.Atoi(path)
		if err != nil || db < 0 || g.cluster && db != 0 {
			return g, badURL(shown, "a database from 0, in a cluster only 0")
		}
		g.db = db
	}
	return g, g.options(shown, query)
}

func (g *target) login(shown, text string) (err error) {
	user, password, both := strings.Cut(text, ":")
	if g.user, err = url.PathUnescape(user); err != nil {
		return badURL(shown, "a user with special characters percent-encoded")
	}
	if g.password, err = url.PathUnescape(password); err != nil {
		return badURL(shown, "a password with special characters percent-encoded")
	}
	if g.user != "" && !both {
		return badURL(shown, "user:password, or :password alone")
	}
	return nil
}

func (g *target) addresses(shown, list, port string) error {
	for _, text := range strings.Split(list, ",") {
		host, p, err := net.SplitHostPort(text)
		if err != nil {
			host, p = strings.Trim(text, "[]"), port
		}
		n, err := strconv.Atoi(p)
		if host == "" || err != nil || n < 1 || n > 65535 || strings.ContainsAny(host, "[]@/?# ") || len(g.hosts) == maxHosts {
			return badURL(shown, fmt.Sprintf("1 to %d hosts, with ports from 1 to 65535", maxHosts))
		}
		g.hosts = append(g.hosts, net.JoinHostPort(host, p))
	}
	return nil
}

func (g *target) options(shown, query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return badURL(shown, "no option but prefix, percent-encoded")
	}
	for name := range values {
		if name != "prefix" {
			return badURL(shown, "no option but prefix")
		}
	}
	g.prefix = values.Get("prefix")
	return nil
}

// badURL shows of a URL only the scheme. What is allowed in it comes first.
func badURL(shown, allowed string) error {
	if allowed != "" {
		allowed += "; as in "
	}
	return &hosts.ConfigError{Field: "URL", Value: shown, Allowed: allowed + allowedURLs}
}
