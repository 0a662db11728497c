package core

import (
	"encoding/binary"
	"errors"
)

// ErrNewerRecord: the bytes are of a later release of this module. The record is
// not damaged: it waits for that release.
var ErrNewerRecord = errors.New("record is in a newer format: update this program")

const (
	recordBytesFormat = 1
	lastRecordFormat  = 15 // that may ever be; more is text, or anything
	recordFixed       = 51 // bytes before the names
)

// MaxRecordBytes is the most that AppendRecord appends for a record that passes
// its Check.
const MaxRecordBytes = recordFixed + 2*MaxName + MaxSealed

// AppendRecord appends a record as bytes, for a store that keeps one value for
// each session:
//
//	 0  1  format: 1
//	 1 16  ID
//	17  8  Version
//	25  8  CreatedAt, milliseconds
//	33  8  SeenAt
//	41  8  ExpiresAt
//	49  1  length of Tenant
//	50  1  length of User
//	51     Tenant, User, and Sealed to the end
//
// Numbers are big-endian, times two's complement. There is no checksum: what
// Sealed has inside of it covers every field, so that [Machine.Resume] says
// ErrCorrupt of bytes that were changed or cut. It refuses what fails
// Record.Check, with that error.
func AppendRecord(dst []byte, r *Record) ([]byte, error) {
	if err := r.Check(); err != nil {
		return dst, err
	}
	dst = append(dst, recordBytesFormat)
	dst = append(dst, r.ID[:]...)
	for _, n := range [...]uint64{uint64(r.Version), uint64(r.CreatedAt), uint64(r.SeenAt), uint64(r.ExpiresAt)} {
		dst = binary.BigEndian.AppendUint64(dst, n)
	}
	dst = append(dst, byte(len(r.Tenant)), byte(len(r.User)))
	dst = append(append(dst, r.Tenant...), r.User...)
	return append(dst, r.Sealed...), nil
}

// ReadRecord reads what AppendRecord has written. Sealed lies in b. Bytes that it
// cannot have written are ErrCorrupt, a later format is ErrNewerRecord. A store
// that has the ID from elsewhere compares them.
func ReadRecord(b []byte) (Record, error) {
	switch {
	case len(b) > 0 && b[0] > recordBytesFormat && b[0] <= lastRecordFormat:
		return Record{}, ErrNewerRecord
	case len(b) < recordFixed || len(b) > MaxRecordBytes || b[0] != recordBytesFormat:
		return Record{}, ErrCorrupt
	}
	at := func(i int) uint64 { return binary.BigEndian.Uint64(b[i:]) }
	user := recordFixed + int(b[49])
	sealed := user + int(b[50])
	if sealed > len(b) {
		return Record{}, ErrCorrupt
	}
	r := Record{
		ID: ID(b[1:17]), Version: Version(at(17)), CreatedAt: Time(at(25)), SeenAt: Time(at(33)), ExpiresAt: Time(at(41)),
		Tenant: string(b[recordFixed:user]), User: string(b[user:sealed]), Sealed: b[sealed:len(b):len(b)],
	}
	if r.Check() != nil {
		return Record{}, ErrCorrupt
	}
	return r, nil
}
