// Package fsstore keeps sessions in files, without a server. A directory has one
// of two forms, chosen when it is made:
//
//   - a log, the default: fast, for one process. All sessions are in a few large
//     files, and in memory where each lies.
//   - with [Options].Shared a file for each session, for any number of processes
//     of one machine at once.
//
// Open refuses a directory of the other form, and a log that another process has
// open.
//
// # Promises
//
// Save compares versions under a lock that every writer respects, so no update
// is lost and no ended session is written back. A save is synced before Save
// returns, so that an acknowledged one survives kill -9 and a power failure, and
// a load sees one whole state of a session, never half. [Options].Fast
// leaves out the syncs of Save, never those of Delete.
//
// When the disk is full or cannot be written, the error names the path and the
// remedy, wraps [hosts.ErrFull] or [hosts.ErrUnavailable], and the session that
// was stored stays as it was. Sessions can be loaded, ended and swept all the
// same, each of them; saves go on once that has freed room. (Not on a filesystem
// that copies on write, such as btrfs or ZFS: it needs room to write over a file.)
//
// A call returns when its context ends. A save that was under way by then may
// still be done, and its error wraps [hosts.ErrUnknown]; the same save again
// settles it. Load waits for nobody.
//
// # The log
//
// Saves and deletions that come together share one write and one sync, and show
// only afterwards: Load returns no state that a crash takes back. It is one read
// of the bytes of that session. Sweep and Find go by the index: a sweep
// looks only at what it deletes, and writes one record for a thousand sessions.
//
// The files are compacted in the background: they hold at most about three times
// the bytes that live, and three segments of at most 16 MiB. One of these is kept
// for the compaction, so that on a full disk room can be won back. The index takes
// 80 to 110 bytes of memory for a session. Open reads the whole log once, on all
// processors: a million sessions in about a second.
//
// After a crash Open cuts off what was not acknowledged. Bytes that were whole
// once and are not any more are damage: Open reports to [Options].Logger where, and
// ends the sessions of which they may hide the end, since an ended session must
// never live again. Those are the sessions whose records were hit, and no
// others, except when the newest segment is damaged or a file is missing. Sweep
// reports the damage until the compaction has replaced the file, which is then
// renamed to end in ".damaged" and left to the operator.
//
// For a backup stop the program, or take a snapshot of the filesystem: a copy
// that is made file by file while a program writes is not of one moment, and
// counts as damaged.
//
// # A file for each session
//
// Processes lock each other out with flock. Copy the directory for a backup as
// it is; a copy that was taken while a program ran is whole for each session.
// Sweep and Find read the header of every file: up to about a million sessions
// are comfortable.
//
// # Directory
//
// Directories have mode 0700, files 0600. What root makes is given to the owner of
// the directory, so that a command in a root shell locks out no server. Symbolic links are not followed, and
// no path leaves the directory ([os.Root]). Open refuses NFS, SMB, CIFS, AFS and
// WebDAV: there, a lock or a rename does not hold between machines. A FUSE
// filesystem is accepted and must keep both. Linux, macOS and FreeBSD; elsewhere
// Open refuses. The formats, to the byte, are in the documentation of the
// packages internal/seglog and internal/slots.
//
// A Store bounds the calls that run and wait in it, 16384 in a log and 4096 with
// Shared; one more gets [hosts.ErrBusy].
package fsstore
