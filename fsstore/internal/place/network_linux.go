package place

import "syscall"

// networkTypes are the filesystem types of statfs(2) whose locks or renames do
// not hold between machines.
var networkTypes = map[uint32]string{
	0x00006969: "NFS",
	0x0000517b: "SMB",
	0xff534d42: "CIFS",
	0xfe534d42: "SMB",
	0x5346414f: "AFS",
	0x6b414653: "AFS",
}

// networkFilesystem names the network filesystem of dir; empty if it is local.
func networkFilesystem(dir string) (string, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return "", err
	}
	// The field is signed, of 32 or 64 bits, on different machines.
	return networkTypes[uint32(st.Type)], nil
}
