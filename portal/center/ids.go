package center

import (
	"crypto/sha1" //nolint:gosec // UUIDs of version 5 are made with it
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// uuid is a UUID (RFC 9562).
type uuid [16]byte

// String returns the UUID in its usual form.
func (u uuid) String() string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

// uuidSpace is the name space of the name spaces of instances. It is random, and never changes.
var uuidSpace = uuid{0x6b, 0x1f, 0x0c, 0x2e, 0x93, 0x5d, 0x4a, 0x77, 0xb8, 0x21, 0x4e, 0x0f, 0xd6, 0x3a, 0x95, 0x18}

// derive returns the UUID of version 5 of a name in a name space (RFC 9562 section 5.5). No secret depends on SHA-1
// here: the one who chooses a name also chooses whom it is the name of.
func (u uuid) derive(parts ...string) (out uuid) {
	sum := sha1.Sum(append(u[:], strings.Join(parts, "\x00")...)) //nolint:gosec // see above
	copy(out[:], sum[:])
	out[6] = out[6]&0x0f | 0x50
	out[8] = out[8]&0x3f | 0x80
	return out
}

// principalID is AWS's pattern of the IDs of users, groups and memberships.
var principalID = regexp.MustCompile(`^([0-9a-f]{10}-|)[A-Fa-f0-9]{8}(-[A-Fa-f0-9]{4}){3}-[A-Fa-f0-9]{12}$`)

// uuidOf returns the UUID of an element with an ID of the directory: that ID if it is a UUID, else one that is derived
// from it.
func (u uuid) uuidOf(k Kind, id string) string {
	if derived := u.derivedFor(k, id); derived != "" {
		return derived
	}
	return id
}

// derivedFor returns the UUID that is derived from an ID, or "" for an ID that is a UUID itself.
func (u uuid) derivedFor(k Kind, id string) string {
	if principalID.MatchString(id) {
		return ""
	}
	return u.derive(string(k), id).String()
}

// hash16 returns 16 hexadecimal digits that depend on all parts. No part contains a NUL.
func hash16(parts ...string) string {
	sum := sha256.Sum256([]byte("meridian\x00" + strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:8])
}

// permissionSetID is AWS's pattern of a permission set's ID.
var permissionSetID = regexp.MustCompile(`^ps-[A-Za-z0-9./-]{16}$`)

// derivedSetID is the ID of a permission set from before permission sets had IDs.
func derivedSetID(instance, name string) string {
	return "ps-" + hash16("permission set", instance, name)
}

// newSetID returns the ID of a new permission set. It is random, so that no other set ever has it.
func newSetID(random io.Reader) (string, error) {
	var b [8]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("center: ID of a new permission set: %w", err)
	}
	return "ps-" + hex.EncodeToString(b[:]), nil
}

// roleSuffix is the end of the name of the role that a permission set is in an account.
func roleSuffix(instance, account, setID string) string {
	return hash16("role", instance, account, setID)
}
