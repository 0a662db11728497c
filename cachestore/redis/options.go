package redis

import (
	"crypto/tls"
	"fmt"
	"math/bits"
	"strings"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/coalesce"
)

// The defaults of Options.
const (
	DefaultPrefix      = "session:"
	DefaultRetention   = time.Hour
	DefaultTimeout     = 5 * time.Second
	DefaultWaitTimeout = time.Second
)

// Bounds of one Store.
const (
	defaultWorkers = 2  // see Options.Coalescing
	maxCalls       = 64 // on the wire at once, to each node; a power of two, see turn
	maxGates       = 16 // groups of nodes that do not hold up each other; a power of two
	keptConns      = 2  // connections to a node that are kept for more than idleTime
	idleTime       = 30 * time.Second
	probeTime      = 2 * time.Second // for the answer of one node of a cluster when the store opens or checks it
	maxWaiting     = 16 << 10        // calls that wait for a connection; more get hosts.ErrBusy
	maxPrefix      = 64              // bytes
	maxReplicas    = 64              // that Options.WaitReplicas may ask for
	maxRedirect    = 16              // nodes of a cluster that one command is sent on to
	bufferSize     = 64 << 10        // bytes to read and to write, for each connection
)

// Options of Open. The zero value is the default.
type Options struct {
	// Prefix begins the name of every key: at most 64 bytes of text without
	// braces and spaces. Default DefaultPrefix. A prefix in the URL wins.
	Prefix string
	// Retention is how long a record is kept behind its ExpiresAt: a minute
	// or more, and no less than that of the policy. Default DefaultRetention.
	Retention time.Duration
	// Timeout bounds one call on the wire, connecting included; twice that a
	// load through the cache. Default DefaultTimeout.
	Timeout time.Duration
	// TLS is the configuration for rediss:// URLs. Default: the system's
	// certificate authorities, TLS 1.2 or newer.
	TLS *tls.Config

	// WaitReplicas is how many replicas must have a logout before Delete
	// succeeds. Default 0: the primary alone.
	WaitReplicas int
	// WaitTimeout is how long Delete waits for them. Default
	// DefaultWaitTimeout; less than Timeout.
	WaitTimeout time.Duration

	// Cache has this process keep what it loads, and is how old an answer may
	// then be at most; see the package documentation for what that means for
	// sessions that others end. Default 0: every load asks the server.
	Cache time.Duration

	// AllowEviction opens a server whose maxmemory-policy drops sessions when
	// its memory is full. Default: Open refuses it.
	AllowEviction bool

	// SentinelUser and SentinelPassword are for the sentinels themselves.
	SentinelUser     string
	SentinelPassword core.Secret

	// Coalescing bounds the gathering of calls, for each node. Here Workers is 2 by default:
	// while the server does one batch the next is made.
	Coalescing coalesce.Options
}

// Their number is in the low bits of a deadline.
var _ = [1]struct{}{}[bits.OnesCount(maxGates*maxCalls)-1]

func (o *Options) fill() error {
	if o.Prefix == "" {
		o.Prefix = DefaultPrefix
	}
	if len(o.Prefix) > maxPrefix || strings.ContainsFunc(o.Prefix, unfit) {
		return &hosts.ConfigError{Field: "Prefix", Value: fmt.Sprintf("%q", o.Prefix), Allowed: "at most 64 letters, digits and signs, no braces"}
	}
	for _, f := range []struct {
		name             string
		value            *time.Duration
		otherwise, least time.Duration
	}{
		{"Retention", &o.Retention, DefaultRetention, time.Minute},
		{"Timeout", &o.Timeout, DefaultTimeout, 10 * time.Millisecond},
		{"WaitTimeout", &o.WaitTimeout, 0, 0},
		{"Cache", &o.Cache, 0, 0},
	} {
		if *f.value == 0 {
			*f.value = f.otherwise
		}
		if *f.value < f.least {
			return &hosts.ConfigError{Field: f.name, Value: f.value.String(), Allowed: f.least.String() + " or more"}
		}
	}
	if o.WaitTimeout == 0 {
		o.WaitTimeout = min(DefaultWaitTimeout, o.Timeout/2)
	}
	if o.Coalescing.Workers == 0 {
		o.Coalescing.Workers = defaultWorkers
	}
	if o.Coalescing.Timeout == 0 {
		o.Coalescing.Timeout = 2 * o.Timeout
	}
	if o.WaitTimeout >= o.Timeout {
		return &hosts.ConfigError{Field: "WaitTimeout", Value: o.WaitTimeout.String(), Allowed: "less than Timeout, " + o.Timeout.String()}
	}
	if o.WaitReplicas < 0 || o.WaitReplicas > maxReplicas {
		return &hosts.ConfigError{Field: "WaitReplicas", Value: fmt.Sprint(o.WaitReplicas), Allowed: fmt.Sprintf("0 to %d", maxReplicas)}
	}
	return nil
}

// unfit finds characters that would make another hash tag of a key, or that
// are not to be seen in a shell.
func unfit(r rune) bool { return r == '{' || r == '}' || r <= ' ' || r >= 0x7f }
