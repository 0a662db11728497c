// Package redis keeps sessions in Redis or Valkey: one server, the primary that
// sentinels name, or a cluster. Redis 6.2 or Valkey 7.2, or newer.
//
// # Promises
//
// Save compares versions and writes in one script, so no update is lost and no
// ended session is written back, whatever many processes do at once. A record
// and what the index says of it change in that same script, in a cluster too: a
// live session is never missing from a search, also when a login races with the
// end of all of a user's sessions. Nothing is sent twice by itself but reads;
// after an unknown answer the same Save again is safe.
//
// A live session is never dropped to make room: Open refuses a server with a
// maxmemory-policy other than noeviction ([ErrEvicts]). When its memory is full,
// Save fails with [hosts.ErrFull] and Delete still works. The server forgets a
// record by itself at ExpiresAt plus [Options].Retention, so the store implements
// no Sweeper.
//
// # What a failover can lose
//
// Replication is asynchronous. A primary that dies may not have passed on the
// last saves and logouts, some milliseconds of them as a rule: a session that was
// ended may then be there again, and a login be gone. With [Options].WaitReplicas
// a logout counts only when that many replicas have it, so it survives the loss of
// the primary whenever one of those replicas takes over. Saves are not waited
// for. A primary that is cut off from its replicas goes on with loads and saves
// until it notices, and those saves are lost; min-replicas-to-write bounds how
// long. How much a restart loses is a matter of the server's appendfsync.
//
// If you cannot accept that, keep sessions in a database.
//
// # Cache
//
// With [Options].Cache this process keeps what it loads, and the server reports
// what has changed (RESP3 tracking). It sees its own saves and deletes at once. What
// another process saves or ends it sees when the server's word arrives, about one
// network delay later; but where that word does not arrive, a connection being
// down unnoticed or a cluster moving sessions to another node, a load may return
// what was stored at most Options.Cache ago. So a session that was ended
// elsewhere may be honoured here for that long, and no longer. A save on top of
// an old state fails with core.ErrConflict as ever, and Find, LoadMany and SaveMany
// never use the cache. It holds 64 MiB for each node.
//
// # Feed
//
// A cachestore.Cached may stand before the store, with one server or sentinels. It
// follows the changes on a connection of its own, by RESP3 tracking in broadcasting
// mode: the server reports every key of a session that was changed, by any client:
// this release or another, an operator's DEL, an expiry, FLUSHALL. A save that only
// notes a use is reported like any other. Nothing is written for that, and it costs
// nothing while nobody follows. One connection has every change of all sessions.
//
// A question asks whether the server is the primary still, has taken over no other's
// data, is the one that sentinels name to this process, and still reports. A lost
// connection, a no to one of these, and more than feed.MaxChanges are a gap. A follower
// that does not read is dropped by the server, by client-output-buffer-limit pubsub. So
// a cache is as right as the store. It is no better: a primary that was cut off, with
// this process on its side, answers until it notices, and so does the cache before it.
//
// While caches are in use, session:caching says on, stopping or off, and logouts wait
// for them. EnableCaching writes it and waits until all replicas that are in step have
// it. A release that does not know the mark cannot be kept out, since it looks at
// nothing of the kind: what it changes is heard, but its logouts do not wait, so that
// they hold feed.Lease later. Replace all servers of the release before this one, the
// JavaScript ones too, before you switch a cache on. This release refuses to open a
// store whose mark says what it does not know. Where FLUSHALL or a failover has lost
// the mark, it is set again before a cache is believed again.
//
// # Keys
//
//	session:caching         that caches are in use; not there if none ever was
//	session:{3f}:3f0c...    a session: the ID as 32 lower-case hex digits
//	session:{3f}:index:0    a bucket of the index: a sorted set of entries
//	session:{3f}:index      the directory of the buckets of all IDs that begin with 3f
//	session:shards:{5a}:5a8e...  a hint: where a user has sessions; 32 hex digits of the owner
//
// The first part is [Options].Prefix. The hash tag is the first byte of the ID, so
// that a session and its index are on one node, and a cluster spreads 256 of them.
//
// A session has one entry, of 23 bytes: four of the SHA-256 of the user, zero for
// nobody, four of that of the tenant, and the ID without its first byte. All have
// score 0, so they are ordered by their bytes. There are 64 buckets behind each
// first byte, named by the characters from 0 to o, so that they stay small: up to
// zset-max-listpack-entries of the server, 128 by default, an entry takes its bytes
// and little more. That is enough for two million sessions; who has more saves a
// hundred bytes a session with 512. All sessions of a user are in the bucket that
// the first byte of the hash of their name says, and those of nobody where the second byte of
// the ID says, modulo 64. What a search finds is held to the query again by its
// record.
//
// The directory is a string of 192 bytes, three for each bucket, big-endian: when
// it expires, in spans of four weeks since 1970, 0 if it is not there. That is one to
// two spans behind the last of its sessions, so no host's clock may be four weeks
// ahead of the server's; the directory expires with the last of its buckets. A user
// that changes moves the entry in the script that saves. A touch within the same
// span writes the record alone. One of 32 new sessions looks at four sessions behind
// it, whose place is random, and if one of them has expired, at all of the bucket:
// it drops those whose record is gone, and so does a search with what it meets. So
// a bucket has, as a rule, some thirty stale entries at the most.
//
// # Hints
//
// A user's sessions may be behind any first byte, so a search for them reads 256
// directories. That of a login ([hosts.IsLoginSearch]: Config.MaxPerUser, DeviceOf) notes
// in a hint behind which bytes it has found some, and every later login of the user adds
// its own, in the script that saves the session. For 30 days the searches of logins read
// only those. After 32 more logins one reads all again and makes the hint anew. A hint
// takes some 200 bytes. A user whose logins search nothing has none.
//
// Any hint may be deleted at any time: the next search reads everything. So may all of
// them, and that is needed if a program stores sessions that does not announce them, a
// release without hints after this one or beside it: else its sessions are missing from
// the searches of logins, and a user may have too many, until the hint is made anew. So it
// is with logins in a cluster while the node of the hint is down, and a failover may lose
// the last announcements like the last saves. Other
// searches never use a hint, so "log out everywhere" reaches those sessions too.
//
//	redis-cli --scan --pattern 'session:shards:*' | xargs redis-cli unlink
//
// # The version before
//
// It had one index for each first byte, of layout 1, a sorted set under the name
// of what is the directory now. Open converts those, each at once, in some ten
// microseconds for each of its sessions; where one is made later, the next save or
// search does. Sessions stay as they are. Servers of both versions may run side by
// side for four weeks, and sessions live through that: those of the version before
// can load, change and end sessions. They answer WRONGTYPE to logins and searches.
// The first Delete of a session answers WRONGTYPE too, although it has worked: a
// second one succeeds. So replace them soon. There is no way back.
//
// # Value
//
// Format 1. Numbers are big-endian. The checksum finds damage, not forgery, which
// is what Sealed is authenticated for.
//
//	offset  bytes
//	     0      8  Version
//	     8     16  owner, as in the index
//	    24      8  when the server forgets it, Unix milliseconds
//	    32      1  format: 1
//	    33      1  t, the length of Tenant
//	    34      1  u, the length of User
//	    35      8  XXH64 with seed 0 of the ID and every other byte of the value
//	    43      8  CreatedAt, Unix milliseconds
//	    51      8  SeenAt, the same
//	    59      8  ExpiresAt, the same
//	    67      t  Tenant
//	  67+t      u  User
//	67+t+u         Sealed, to the end
//
// A value that does not fit is [core.ErrCorrupt]: Load names it, Find passes over
// it, Delete removes it. Later formats keep the first 33 bytes.
//
// # Cluster
//
// Calls to the sessions of one node are gathered and bounded apart from those of
// the others, so that a node that hangs holds up its own calls only. A search asks
// all nodes. A login is saved first, and then announced on the node of its user's hint,
// which takes one more round trip. While that node is down, logins are saved without.
// Saves and deletes of sessions wait, at most Options.Timeout, while the cluster moves
// their slot to another node. During a failover calls to the
// sessions of that node fail with [hosts.ErrUnavailable], and those to all others
// too unless the cluster has cluster-require-full-coverage off.
//
// # Limits
//
// 64 calls are on the wire at once and 16384 wait, for the sessions of each node;
// more get [hosts.ErrBusy]. Loads and saves that wait are gathered as [coalesce.Options]
// says. A script has at most 64 saves and 256 KiB, a read 512 keys.
//
// The user needs these rights, besides those to connect, in the terms of ACL:
//
//	~session:* +get +mget +exists +set +del +getrange +pttl +pexpireat +zadd +zrem +zrangebylex +lrange +rpush +rpushx +pexpire +eval +evalsha
//
// (without +lrange +rpush +rpushx +pexpire there are no hints) and +info for the check of the server, +wait for Options.WaitReplicas, +client
// for Options.Cache, and +cluster in a cluster; for a cache that follows the store
//
//	&session:* +client +info +subscribe +wait
//
// A script that looks at entries
// finds the keys of their records by itself, in the same slot: Redis and Valkey
// allow that, some servers that speak their protocol do not.
package redis
