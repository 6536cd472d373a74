package center

import (
	"cmp"
	"regexp"
	"time"
)

// InstanceKind is the kind of an instance.
type InstanceKind string

// The kinds of instance.
const (
	InstanceOrganization InstanceKind = "ORGANIZATION" // of an organization; can have additional Regions
	InstanceAccount      InstanceKind = "ACCOUNT"      // of one account; has only its primary Region
)

// InstanceMetadata describes the instance itself. It is written in the primary Region only.
//
// An instance has an ID also if none was ever written: one that is derived from the name of the primary Region, which
// never changes. So all nodes of all Regions have the same, also those of an instance from before there were IDs.
// Instances with the same primary Region have the same derived ID: give each its own ID if one client sees several.
type InstanceMetadata struct {
	// ID is the last part of the instance's ARN: ssoins- and 16 letters, digits, dots and hyphens. IDs of users, groups,
	// permission sets and roles are derived from it, so it can't be changed once it is written. Empty: see above.
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"` // up to 255 characters of A-Z a-z 0-9 _ + = , . @ -; empty: none
	// IdentityStoreID is d- and 10 hexadecimal digits. It can't be changed once it is written. Empty: derived from ID.
	IdentityStoreID string `json:"identityStoreId,omitempty"`
	// OwnerAccountID is the account that the instance belongs to, 12 digits. Empty: not known.
	OwnerAccountID string       `json:"ownerAccountId,omitempty"`
	Kind           InstanceKind `json:"kind,omitempty"` // empty: InstanceOrganization
	// CreatedAt is when the instance was created. The first start of a stored instance sets it. Zero: not known, as for
	// an instance from before there were dates. It never changes.
	CreatedAt  time.Time  `json:"createdAt,omitzero"`
	Encryption Encryption `json:"encryption,omitzero"` // zero: not said
	// IdentitySource says where users and groups come from. Empty: SourceExternal.
	IdentitySource IdentitySource `json:"identitySource,omitempty"`
}

// IdentitySource is where the users and groups of an instance come from.
type IdentitySource string

// The identity sources. Meridian itself has external identity providers only: the others are for an instance that
// describes one elsewhere, and can't have additional Regions.
const (
	SourceExternal        IdentitySource = "EXTERNAL_IDP"
	SourceActiveDirectory IdentitySource = "ACTIVE_DIRECTORY"
	SourceDirectory       IdentitySource = "IDENTITY_CENTER_DIRECTORY"
)

// KeyType is who manages the key that identity data is sealed with.
type KeyType string

// The types of key.
const (
	KeyOwnedByAWS      KeyType = "AWS_OWNED_KMS_KEY"    // not for an instance with additional Regions
	KeyCustomerManaged KeyType = "CUSTOMER_MANAGED_KEY" // of the operator
)

// EncryptionStatus is the state of a change of the key.
type EncryptionStatus string

// The states of a change of the key.
const (
	EncryptionEnabled      EncryptionStatus = "ENABLED"
	EncryptionUpdating     EncryptionStatus = "UPDATING"
	EncryptionUpdateFailed EncryptionStatus = "UPDATE_FAILED"
)

// Encryption says which key the identity data of an instance is sealed with. It describes; it does not seal.
type Encryption struct {
	KeyType KeyType `json:"keyType,omitempty"`
	// KeyARN is the ARN of a KeyCustomerManaged, required for it and for no other. If the instance has additional
	// Regions, it must be a multi-Region key: its ID begins with mrk-.
	KeyARN       string           `json:"keyArn,omitempty"`
	Status       EncryptionStatus `json:"status,omitempty"` // empty, with a KeyType: EncryptionEnabled
	StatusReason string           `json:"statusReason,omitempty"`
}

func (InstanceMetadata) kind() Kind  { return KindInstance }
func (InstanceMetadata) key() string { return "instance" }

// complete fills in what is derived or has a default.
func (m InstanceMetadata) complete(primary string) InstanceMetadata {
	if m.ID == "" {
		m.ID = "ssoins-" + hash16("instance", primary)
	}
	if m.IdentityStoreID == "" {
		m.IdentityStoreID = "d-" + hash16("identity store", m.ID)[:10]
	}
	m.Kind, m.IdentitySource = cmp.Or(m.Kind, InstanceOrganization), cmp.Or(m.IdentitySource, SourceExternal)
	if m.Encryption.KeyType != "" {
		m.Encryption.Status = cmp.Or(m.Encryption.Status, EncryptionEnabled)
	}
	return m
}

var (
	instanceID      = regexp.MustCompile(`^ssoins-[A-Za-z0-9.-]{16}$`)
	instanceName    = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]{1,255}$`)
	identityStoreID = regexp.MustCompile(`^d-[0-9a-f]{10}$`)
	keyARN          = regexp.MustCompile(`^arn:aws(-[a-z]{1,5}){0,3}:kms:([a-z]+-){2,3}[0-9]:[0-9]{12}:key/` +
		`(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)
	multiRegionKey = regexp.MustCompile(`:key/mrk-`)
)

// metadata checks an InstanceMetadata. It is for what is written here: a stored instance with another value, of a later
// version, must still start.
func (c *checker) metadata(m InstanceMetadata, regions int) {
	ifGiven := func(what, value string, re *regexp.Regexp, want string) {
		if value != "" {
			c.match(what, value, re, want)
		}
	}
	ifGiven("ID of instance", m.ID, instanceID, "ssoins- and 16 letters, digits, dots and hyphens")
	ifGiven("name of instance", m.Name, instanceName, "1 to 255 characters of A-Z a-z 0-9 _ + = , . @ -")
	ifGiven("identityStoreId of instance", m.IdentityStoreID, identityStoreID, "d- and 10 hexadecimal digits")
	ifGiven("ownerAccountId of instance", m.OwnerAccountID, accountID, "exactly 12 digits")
	switch m.Kind {
	case "", InstanceOrganization:
	case InstanceAccount:
		if regions > 1 {
			c.fail(ReasonInvalid, "kind of instance", "ORGANIZATION, because there are additional Regions", string(m.Kind))
		}
	default:
		c.fail(ReasonInvalid, "kind of instance", "ORGANIZATION or ACCOUNT", string(m.Kind))
	}
	switch m.IdentitySource {
	case "", SourceExternal:
	case SourceActiveDirectory, SourceDirectory:
		if regions > 1 {
			const want = "EXTERNAL_IDP, because there are additional Regions"
			c.fail(ReasonInvalid, "identitySource of instance", want, string(m.IdentitySource))
		}
	default:
		const want = "EXTERNAL_IDP, ACTIVE_DIRECTORY or IDENTITY_CENTER_DIRECTORY"
		c.fail(ReasonInvalid, "identitySource of instance", want, string(m.IdentitySource))
	}
	c.dates("createdAt of instance", m.CreatedAt)
	c.encryption(m.Encryption, regions)
}

func (c *checker) encryption(e Encryption, regions int) {
	const what = "key of instance"
	switch e.KeyType {
	case KeyCustomerManaged:
		c.match(what, e.KeyARN, keyARN, "the ARN of a KMS key")
		if regions > 1 && !multiRegionKey.MatchString(e.KeyARN) {
			c.fail(ReasonInvalid, what, "a multi-Region key, because there are additional Regions", e.KeyARN)
		}
	case KeyOwnedByAWS:
		if regions > 1 {
			const want = "CUSTOMER_MANAGED_KEY, because there are additional Regions"
			c.fail(ReasonInvalid, "type of key of instance", want, string(e.KeyType))
		}
		fallthrough
	case "":
		if e.KeyARN != "" {
			c.fail(ReasonInvalid, what, "no ARN without CUSTOMER_MANAGED_KEY", e.KeyARN)
		}
	default:
		c.fail(ReasonInvalid, "type of key of instance", "AWS_OWNED_KMS_KEY or CUSTOMER_MANAGED_KEY", string(e.KeyType))
	}
	switch e.Status {
	case "", EncryptionEnabled, EncryptionUpdating, EncryptionUpdateFailed:
	default:
		c.fail(ReasonInvalid, "status of key of instance", "ENABLED, UPDATING or UPDATE_FAILED", string(e.Status))
	}
	c.optional("statusReason of key of instance", e.StatusReason)
}

// PutInstanceMetadata replaces the description of the instance. An empty ID or IdentityStoreID keeps what is written.
// An ID that is written can't be replaced by another. Set it before any ID is handed out: those that are derived from
// it change. CreatedAt never changes. The first customer-managed key needs applications that work with it: see
// Snapshot.CustomerKey. Primary only.
func (t *Tx) PutInstanceMetadata(m InstanceMetadata) error {
	if err := t.primaryOnly("write", KindInstance); err != nil {
		return err
	}
	old := t.d.s.metadata
	keep := func(what string, next *string, old string) {
		if *next == "" {
			*next = old
		}
		if old != "" && *next != old {
			_ = t.refuse(&Error{Reason: ReasonFixed, Rule: what, Want: quote(old), Got: *next})
		}
	}
	keep("ID of instance", &m.ID, old.ID)
	keep("identityStoreId of instance", &m.IdentityStoreID, old.IdentityStoreID)
	if managed := KeyCustomerManaged; m.Encryption.KeyType == managed && old.Encryption.KeyType != managed {
		if err := t.d.s.customerKey(); err != nil {
			return t.refuse(err)
		}
	}
	m.CreatedAt = old.CreatedAt
	t.d.setMetadata(m)
	return t.err
}
