package redis

import (
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
		return g, badURL("its scheme")
	}
	rest, query, _ := strings.Cut(rest, "?")
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		if err := g.login(rest[:i]); err != nil {
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
			return g, badURL("no name of a primary behind the sentinels")
		}
	}
	if err := g.addresses(list, port); err != nil {
		return g, err
	}
	if len(g.hosts) > 1 && !g.cluster && !sentinel {
		return g, badURL("several hosts")
	}
	if path != "" {
		db, err := strconv.Atoi(path)
		if err != nil || db < 0 || g.cluster && db != 0 {
			return g, badURL("its database, which is a number, and 0 in a cluster")
		}
		g.db = db
	}
	return g, g.options(query)
}

func (g *target) login(text string) (err error) {
	user, password, both := strings.Cut(text, ":")
	if g.user, err = url.PathUnescape(user); err != nil {
		return badURL("its user, which is not percent-encoded")
	}
	if g.password, err = url.PathUnescape(password); err != nil {
		return badURL("its password, which is not percent-encoded")
	}
	if g.user != "" && !both {
		return badURL("a user without a password")
	}
	return nil
}

func (g *target) addresses(list, port string) error {
	for _, text := range strings.Split(list, ",") {
		host, p, err := net.SplitHostPort(text)
		if err != nil {
			host, p = strings.Trim(text, "[]"), port
		}
		n, err := strconv.Atoi(p)
		if host == "" || err != nil || n < 1 || n > 65535 || strings.ContainsAny(host, "[]@/?# ") || len(g.hosts) == maxHosts {
			return badURL("a host or port")
		}
		g.hosts = append(g.hosts, net.JoinHostPort(host, p))
	}
	return nil
}

func (g *target) options(query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return badURL("its query")
	}
	for name := range values {
		if name != "prefix" {
			return badURL("an option that is not prefix")
		}
	}
	g.prefix = values.Get("prefix")
	return nil
}

func badURL(what string) error {
	return &hosts.ConfigError{Field: "URL", Value: what, Allowed: allowedURLs}
}
