// Package seglog is the form of fsstore for one process: all sessions in one log,
// and in memory where each lies.
//
// # Directory
//
//	sessions/                   mode 0700; one process has a flock on it
//	sessions/segment-log        an empty file: this form
//	sessions/0000002a.log       a segment, 0600: its number as 8 hex digits
//	sessions/spare, spare2      the next segments, kept over a restart
//	sessions/00000007.log.damaged   one that was found damaged, set aside; nobody reads it
//
// A segment has its whole length from the start: a sync of such a file is two to
// three times as fast as of one that grows. It is filled with zeros, or it is one
// that was compacted and is used again: behind its last record it has the bytes
// of its former life, which are no records any more, by their checksums. The
// first segment has 256 KiB, each other twice as much as the one before, up to 16
// MiB; on a disk that is nearly full, what there is. Only the last is written,
// but for what is said under Full disk.
//
// # Segment format
//
// Version 1, or 2 where records were ended in place. Numbers are big-endian. Checksums are CRC-32C; they find damage, not
// forgery, which is what Sealed is authenticated for. A header of 64 bytes stands
// at offset 0 and again at 4096; the first that is whole is taken. Records begin
// at 4160, each at a multiple of 8 bytes.
//
//	offset  bytes of a header
//	     0      6  "rwslog"
//	     6      2  format version
//	     8      4  checksum of the rest
//	    12      4  number of the segment
//	    16      4  base: segments before this one are void
//	    20      1  1 in version 2, else zero
//	    21      3  zero
//	    24      8  salt, random
//	    32      8  where the segment before ends: what lies behind is void
//	    40      8  where its roll begins; where it ends, if it has none
//	    48     16  zero
//
//	offset  bytes of a record
//	     0      4  checksum of the salt, the offset of the record in the segment (8), and bytes 4 to the end of User;
//	             inverted: of a put whose session was ended in place
//	     4      4  checksum of Sealed
//	     8      1  kind
//	     9      1  t, the length of Tenant
//	    10      1  u, the length of User
//	    11      1  zero
//	    12      4  s, the length of Sealed, at most core.MaxSealed
//	    16     16  ID
//	    32      8  Version
//	    40      8  CreatedAt, Unix milliseconds
//	    48      8  SeenAt, the same
//	    56      8  ExpiresAt, the same
//	    64      4  durable: how far the segment was synced when this was written, in units of 8 bytes
//	    68      4  zero
//	    72      t  Tenant
//	  72+t      u  User
//	72+t+u      s  Sealed; then zeros up to a multiple of 8
//
// The kinds, of which all but the first leave zero what they do not name:
//
//	1  put    the state of session ID from here on
//	2  end    session ID has ended
//	3  sweep  every session that expires before ExpiresAt has ended
//	4  mark   segments before the one that Version names are void
//	5  roll   Sealed has 20 bytes for each record of the segment, in order: kind<<29 + offset/8 (4),
//	          and its ID (16), or ExpiresAt or Version (8) and zeros. Version is how many those are
//	          in all; CreatedAt is the first of this record, where a roll takes several.
//
// Later records win. A later format keeps the first 8 bytes of a segment; this
// program refuses to open such a log, since its sessions live in a newer program.
//
// # Writing
//
// One worker writes for all: what waits goes to the end of the last segment in
// one write, and one sync covers it. The version that a save replaces is compared
// by that worker, with the index and with what stands before it in the same
// write. The index changes after the sync, and only then are the callers
// answered: nobody is shown a state that a crash takes back.
//
// After a write or a sync that failed, its calls get the error, what it may have
// left is erased as far as the disk lets us, and the segment is never written
// again, because a sync that failed once does not tell twice. The next segment
// says where it ends, so that nothing of the failed write counts after a restart;
// if it cannot be erased, and the process ends before there is a next segment,
// some of it may: then the error says hosts.ErrUnknown.
//
// # Full disk
//
// Saves, deletions and sweeps leave as much room in the last segment and the
// spares as the compaction needs to copy what lives in any one segment. When that
// is all there is, a save is refused with hosts.ErrFull. A deletion or a sweep
// inverts the checksum of the session's record, where it lies, and syncs that
// file: it needs no room. Those are four bytes that no sector divides, so a crash
// leaves the session as it was or ended. It counts as an end at the place of the
// record, of which all other records are older. Before the first one the header
// of the segment becomes version 2, so that an older program refuses the log.
//
// The compaction goes on while more than an eighth of the log can be won, and
// takes a segment in which nothing lives at once. Where there is no room for its
// mark, the base in the header of the last segment says the same: the two copies
// are written one after the other, each synced.
//
// # Compaction
//
// When the sealed segments hold more than twice the living bytes, the oldest is
// read, what lives in it is copied to the end of the log by the same worker, a
// mark voids it, and the file is removed or used again: in this order, each synced before the
// next, so that it may be cut off anywhere. It is always the oldest: so an end is
// forgotten only when no older record of its session is left, not even in a file
// whose removal a crash undid, since the mark voids that; and at most one byte is
// copied for each that is written. It copies at most 32 MiB a second, without
// pause where the log has more than three times its living bytes.
//
// # Damage
//
// The log ends at the first record of the last segment that is not whole: a crash
// has interrupted that write, and nobody was answered. What is whole behind it is
// made void at Open. It is told from damage by the field durable of the records
// behind it: if one of them was written when the bad bytes had been synced, they
// were whole once. Close writes a mark, so that this holds for all that a
// properly closed log has.
//
// Damage is logged with its path and offsets, and Sweep reports it, until the
// compaction has been through that segment; the file is then set aside, not
// removed. Where only Sealed is damaged, Load of that session is core.ErrCorrupt.
// Otherwise the roll at the end of the segment tells whose records are lost, and
// those sessions are ended, as far as nothing later is known of them: the lost
// record may have been their end, and an ended session must not live again in an
// older state. Where there is no roll (the last segment, a missing file, a
// damaged header, bytes and roll damaged at once), that goes for every session
// of which nothing is known since: they are ended, and their number is logged.
// That the newest file is missing whole cannot be noticed.
//
// # Memory
//
// The index takes 80 to 90 bytes for a session, 90 to 110 with a user of its own.
// Each segment is an open file. Open reads as many segments at once as there are
// processors, and holds what it has read of twice as many.
package seglog
