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
// The lock of a session is a flock on its subdirectory, which nothing can delete
// without deleting the sessions too. One process at a time writes in a
// subdirectory, so the file "new" needs no other name, and one that a killed
// process left is in nobody's way: the next Save there, or Sweep, removes it.
// Names differ in more than case, so filesystems that ignore case will do.
// Symbolic links are not followed, and no path leaves the directory ([os.Root]).
// A process holds at most 512 open directories and 64 open files, more only
// while it writes.
//
// # File format
//
// Version 1. Numbers are big-endian. Checksums are XXH64 with seed 0; they find
// damage, not forgery, which is what Sealed is authenticated for.
//
//	offset  bytes
//	     0      6  "rwsess"
//	     6      2  format version: 1
//	     8      8  checksum of bytes 0 to 7 and 16 to the end of User
//	    16      8  checksum of Sealed
//	    24      4  s, the length of Sealed, at most core.MaxSealed
//	    28      1  t, the length of Tenant
//	    29      1  u, the length of User
//	    30      2  zero
//	    32     16  ID
//	    48      8  Version
//	    56      8  CreatedAt, Unix milliseconds
//	    64      8  SeenAt, the same
//	    72      8  ExpiresAt, the same
//	    80      t  Tenant
//	  80+t      u  User
//	80+t+u      s  Sealed, to the end of the file
//
// The two checksums cover every byte, and the header can be trusted without
// reading the rest. A file that does not fit is [core.ErrCorrupt]: Load and Save
// name it, Find passes over it, Sweep reports it, Delete removes it. A later
// format keeps the first 8 bytes; this program leaves such files alone and says
// so, since their sessions live in a newer program.
package slots
