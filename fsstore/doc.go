// Package fsstore keeps sessions in files, one file for each session, for any
// number of processes on one machine at once.
//
// # Promises
//
// Save compares versions under a lock (flock) that every process respects, so
// no update is lost and no ended session is written back. A file is written
// whole, synced, and then takes its name in one rename; the directory is synced
// before Save returns. So an acknowledged Save survives kill -9 and a power
// failure, and whoever loads a session sees one whole state of it, never half.
// [Options].Fast leaves out the syncs of Save, never that of Delete.
//
// When the disk is full or cannot be written, the error names the path and the
// remedy, wraps [hosts.ErrFull] or [hosts.ErrUnavailable], and the session that
// was stored stays as it was. A call that waits for another process returns when
// its context ends, having changed nothing; one that the disk itself keeps
// waiting returns when the disk does. Load waits for nobody.
//
// # Directory
//
//	sessions/                                  mode 0700
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
// Open refuses NFS, SMB, CIFS, AFS and WebDAV: there, a lock or a rename does
// not hold between machines. A FUSE filesystem is accepted and must keep both.
// Copy the directory for a backup as it is; a copy that was taken while a
// program ran is whole for each session.
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
//
// # Limits
//
// 4096 calls may run and wait in one Store, then [hosts.ErrBusy]. Sweep and Find
// read the header of every file, about 10 µs each when they are cached, and hold
// the names of one subdirectory in memory: up to about a million sessions are
// comfortable. Linux, macOS and FreeBSD; elsewhere Open refuses.
package fsstore
