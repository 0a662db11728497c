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
// Directories have mode 0700, files 0600. Symbolic links are not followed, and
// no path leaves the directory ([os.Root]).
//
// Open refuses NFS, SMB, CIFS, AFS and WebDAV: there, a lock or a rename does
// not hold between machines. A FUSE filesystem is accepted and must keep both.
// Copy the directory for a backup as it is; a copy that was taken while a
// program ran is whole for each session.
//
// # Limits
//
// 4096 calls may run and wait in one Store, then [hosts.ErrBusy]. Sweep and Find
// read the header of every file, about 10 µs each when they are cached, and hold
// the names of one subdirectory in memory: up to about a million sessions are
// comfortable. Linux, macOS and FreeBSD; elsewhere Open refuses.
package fsstore
