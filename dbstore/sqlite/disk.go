package sqlite

import (
	"errors"
	"syscall"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
)

// diskName is the name by which connections ask for disk.
const diskName = "rockstar-sessions"

func init() { vfs.Register(diskName, disk{vfs.Find("os").(vfs.VFSFilename)}) }

// disk is the driver's own access to files, but that it tells a full disk from a
// broken one.
type disk struct{ vfs.VFSFilename }

// OpenFilename implements vfs.VFSFilename. It follows no link: whoever may write
// the directory could put one beside the database.
func (d disk) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := d.VFSFilename.OpenFilename(name, flags|vfs.OPEN_NOFOLLOW)
	if own, ok := f.(driverFile); ok {
		f = diskFile{own}
	}
	return f, flags, err
}

// driverFile is what the driver's files can do of what is needed here.
type driverFile interface {
	vfs.FileHasMoved
	vfs.FileLockState
	vfs.FilePersistWAL
	vfs.FilePowersafeOverwrite
	vfs.FileSharedMemory
	vfs.FileSizeHint
}

type diskFile struct{ driverFile }

// WriteAt implements vfs.File.
func (f diskFile) WriteAt(p []byte, off int64) (int, error) {
	n, err := f.driverFile.WriteAt(p, off)
	if noRoom(err) {
		err = vfs.SystemError(err, sqlite3.FULL)
	}
	return n, err
}

// DeviceCharacteristics leaves out what driverFile lacks.
func (f diskFile) DeviceCharacteristics() vfs.DeviceCharacteristic {
	return f.driverFile.DeviceCharacteristics() &^ vfs.IOCAP_BATCH_ATOMIC
}

// noRoom is what the operating system says of a disk or a quota.
func noRoom(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
