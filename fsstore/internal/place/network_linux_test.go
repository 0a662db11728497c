package place

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// The numbers are those of statfs(2). CIFS and SMB2 are negative in the signed
// field of 32-bit machines.
func TestNetworkFilesystemsAreRefused(t *testing.T) {
	signed := int32(-0xacb2be)
	for magic, name := range map[uint32]string{0x6969: "NFS", 0x517b: "SMB", uint32(signed): "CIFS", 0xfe534d42: "SMB", 0xef53: "", 0x01021994: ""} {
		require.Equal(t, name, networkTypes[magic])
	}
	err := refuseNetwork("/srv/sessions", "NFS")
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.ErrorContains(t, err, "/srv/sessions is on NFS")
	require.ErrorContains(t, err, "use a local disk")
}
