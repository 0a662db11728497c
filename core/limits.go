package core

// Every bound of the core, in one place. Sizes in bytes.
const (
	MaxCookies     = 4         // authentic cookies, one for each session, that are considered in one request
	MaxCookieBytes = 64 << 10  // of values that are tried in one request: 528, where browsers keep 180 for a host and as many for its parent
	MaxCandidates  = 2         // of the sessions in these: those that are asked of the store
	MaxCookieSize  = 4096      // name and value together; browsers ignore more (RFC 6265bis)
	MaxLifetime    = 400 * Day // browsers keep no cookie longer (RFC 6265bis)
	MaxNameLength  = 128       // of the name of a value
	MaxSessionSize = 1 << 20   // largest limit that a Policy may set
	MaxNesting     = 16        // of lists and maps in a value
	MaxCachedAEADs = 1024      // open AEADs kept by one Machine
	MaxKeys        = 16        // in a ring
	MaxAddress     = 64        // of a kept IP address
	MaxUserAgent   = 512       // of a kept user agent; the rest is cut off
	KeptVersions   = 8         // last versions that a record remembers
	MaxStamp       = 4 << 10   // of a stamp of credentials, of which only a hash is kept
	MaxMethods     = 8         // by which a user has proved who they are at once
	MaxMethod      = 32        // of the name of one

	// MaxSkew is how far a proof may lie ahead of the clock and still be fresh: the
	// clocks of servers differ, and one may be set back.
	MaxSkew = Minute

	// SupersededHold is how long a request with a superseded cookie begins no
	// session: longer than any request is on its way. After it, a visitor who
	// lost the answer with the later cookie may begin anew.
	SupersededHold = Minute
)
