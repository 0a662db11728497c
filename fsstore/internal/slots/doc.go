// Package slots is the form of fsstore for several processes: one file for each
// session, compared and replaced under a lock that every process respects.
//
// # Directory
//
//	sessions/                                  mode 0700
//	sessions/file-per-session                  an empty file: this form
//	sessions/3f/                               first byte of the ID; made when needed, 0700
//	sessions/3f/3f0c...                        the ID as 32 lower-case hex digits, 0600
//	sessions/3f/new                            the file that the holder of the lock is writing
//
// Names differ in more than case, so filesystems that ignore case will do.
// Symbolic links are not followed, and no path leaves the directory ([os.Root]).
// A process holds at most 512 open directories and 320 open files, more directories
// only while it lists them. A session takes 8 KiB at the least.
//
// # Writing
//
// A file has two slots. A save writes the slot that does not hold the session, by
// one write, and syncs the data: no rename, no new blocks, no sync of a directory.
// A write that is torn leaves the other slot, with the state before. The good slot
// with the higher sequence is the session's.
//
// The lock of a session is a flock on its file. Deleting and replacing happen
// under it, and whoever has got it looks whether the file still has its name: a
// deleted session is not written back by one who had it open. Names come and go
// under a second flock, on the subdirectory, taken before the first: a new session
// and one that outgrows its slots are written to the file "new", synced, renamed,
// and the directory is synced. "new" that a killed process left is in nobody's way:
// the next one there, or Sweep, removes it.
//
// A slot is the only durable one while the other is written, so a durable save
// first makes sure that what it leaves standing has reached the disk. Each slot
// notes when the other one has, with its name; where the note is missing (the
// writer was killed, or a fast one) the state is written and synced again.
//
// Fast saves sync nothing. After a power failure a session that was saved fast may
// be in an older state or, after two such saves, damaged.
//
// A reader takes no lock. When it finds one slot bad it reads again: a good slot
// that is read after the bad one was seen is new enough. Only when four reads have
// not decided does it take the lock, under which bad bytes are damage.
//
// # File format
//
// Version 2. Numbers are big-endian. Checksums are XXH64 with seed 0; they find
// damage, not forgery, which is what Sealed is authenticated for. The file is two
// slots of p pages of 4096 bytes; a slot begins with this, and then has whatever it
// had before:
//
//	offset  bytes
//	     0      6  "rwsess"
//	     6      2  format version: 2
//	     8      8  checksum of bytes 0 to 7 and 24 to the end of User
//	    16      8  sequence of the other slot once that is on the disk, else anything
//	    24      8  checksum of Sealed
//	    32      8  sequence, from 1; a new file has the same in both slots
//	    40      4  s, the length of Sealed, at most core.MaxSealed
//	    44      1  t, the length of Tenant
//	    45      1  u, the length of User
//	    46      2  p, chosen so that the first record had room to grow by a quarter
//	    48     16  ID
//	    64      8  Version
//	    72      8  CreatedAt, Unix milliseconds
//	    80      8  SeenAt, the same
//	    88      8  ExpiresAt, the same
//	    96      t  Tenant
//	  96+t      u  User
//	96+t+u      s  Sealed
//
// The two checksums cover every byte but the note at 16, and the header can be
// trusted without reading the rest. A file without a good slot is
// [core.ErrCorrupt]: Load and Save name it, Find passes over it, Sweep reports it,
// Delete removes it. A later format keeps the first 8 bytes and rewrites a whole
// file when it takes one over; this program leaves such files alone and says so,
// since their sessions live in a newer program. Version 1 was never released, and
// is refused.
package slots
