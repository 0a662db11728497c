//go:build darwin || freebsd

package place

import "syscall"

// networkTypes are the filesystem types of statfs(2) whose locks or renames do
// not hold between machines.
var networkTypes = map[string]string{
	"nfs":    "NFS",
	"smbfs":  "SMB",
	"afpfs":  "AFP",
	"webdav": "WebDAV",
}

// networkFilesystem names the network filesystem of dir; empty if it is local.
func networkFilesystem(dir string) (string, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return "", err
	}
	var name []byte
	for _, c := range st.Fstypename {
		if c == 0 {
			break
		}
		name = append(name, byte(c))
	}
	return networkTypes[string(name)], nil
}
