package keys

import (
	"regexp"
	"slices"
	"time"
)

// A State is the state of a key in one Region.
type State string

// The states, with the names that AWS gives them.
const (
	Enabled         State = "Enabled"
	Disabled        State = "Disabled"
	PendingDeletion State = "PendingDeletion" // until Key.DeletionDate, when the key material is erased
)

// A Usage is what a key is for. It never changes.
type Usage string

// The usages, with the names that AWS gives them.
const (
	EncryptDecrypt    Usage = "ENCRYPT_DECRYPT"
	GenerateVerifyMAC Usage = "GENERATE_VERIFY_MAC"
)

// A Key describes a key in one Region. It has no key material.
type Key struct {
	// ID is "mrk-" and 32 hexadecimal digits, the same in all Regions.
	ID string
	// Region is the Region of this copy. Primary is the one where the key was created.
	Region, Primary string
	Description     string
	Usage           Usage
	Created         time.Time // of this copy
	State           State
	DeletionDate    time.Time // zero: the deletion is not scheduled
	Policy          Policy
	// Version is the one that encrypts. Versions are all that decrypt, in order; a later one than Version is prepared.
	Version  uint32
	Versions []Version
	// Replicas are the Regions to which this copy was replicated, in order.
	Replicas []string
	// Used counts operations in this Region. Replicating a key and copying what it sealed count nothing.
	Used Counts
}

// A Version is one generation of the key material.
type Version struct {
	Number  uint32
	Created time.Time
}

// Counts are the operations of a key in one Region. They are stored when the Ring is next changed, or is closed.
type Counts struct {
	Encrypt uint64 `json:"encrypt"`
	Decrypt uint64 `json:"decrypt"`
	MAC     uint64 `json:"mac,omitempty"` // made and verified
	Refused uint64 `json:"refused"`       // by the policy or the state
}

var (
	keyID      = regexp.MustCompile(`^mrk-[0-9a-f]{32}$`)
	regionName = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
)

// A record is a key in the file.
type record struct {
	ID          string    `json:"id"`
	Primary     string    `json:"primary"`
	Description string    `json:"description,omitempty"`
	Usage       Usage     `json:"usage"`
	Created     time.Time `json:"created"`
	State       State     `json:"state"`
	Deletion    time.Time `json:"deletion,omitzero"`
	Policy      Policy    `json:"policy"`
	Version     uint32    `json:"version"`
	Versions    []version `json:"versions"`
	// Material is a Tink keyset, not encrypted: the file is. Its primary key is Version's.
	Material []byte   `json:"material"`
	Replicas []string `json:"replicas,omitempty"`
	Used     Counts   `json:"used"`
}

type version struct {
	Number  uint32    `json:"number"`
	KeyID   uint32    `json:"keyID"` // in the keyset
	Created time.Time `json:"created"`
}

func (r record) clone() record {
	r.Policy = r.Policy.clone()
	r.Versions, r.Material, r.Replicas = slices.Clone(r.Versions), slices.Clone(r.Material), slices.Clone(r.Replicas)
	return r
}

// describe returns the description of a record. The caller holds the Ring's lock.
func (r record) describe(region string) Key {
	r = r.clone()
	k := Key{
		ID: r.ID, Region: region, Primary: r.Primary, Description: r.Description, Usage: r.Usage, Created: r.Created,
		State: r.State, DeletionDate: r.Deletion, Policy: r.Policy, Version: r.Version, Replicas: r.Replicas,
		Used: r.Used,
	}
	for _, v := range r.Versions {
		k.Versions = append(k.Versions, Version{v.Number, v.Created})
	}
	return k
}

// check refuses a record that this package didn't write: a later version may have.
func (r record) check() error {
	bad := func(what, got string) error {
		return newError(ReasonCorrupt, what+" of a key", "one that this version writes", got)
	}
	current := slices.ContainsFunc(r.Versions, func(v version) bool { return v.Number == r.Version })
	switch {
	case !keyID.MatchString(r.ID):
		return bad("ID", r.ID)
	case !regionName.MatchString(r.Primary):
		return bad("primary Region", r.Primary)
	case r.Usage != EncryptDecrypt && r.Usage != GenerateVerifyMAC:
		return bad("usage", string(r.Usage))
	case r.State != Enabled && r.State != Disabled && r.State != PendingDeletion:
		return bad("state", string(r.State))
	case (r.State == PendingDeletion) == r.Deletion.IsZero():
		return bad("deletion date", r.Deletion.String())
	case !current || len(r.Versions) > maxVersions:
		return bad("versions", "")
	}
	for i, v := range r.Versions {
		if v.Number != uint32(i+1) {
			return bad("versions", "")
		}
	}
	if err := r.Policy.check(); err != nil {
		return &Error{Reason: ReasonCorrupt, Rule: "policy of a key", Err: err}
	}
	_, err := r.open()
	return err
}
