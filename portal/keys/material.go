package keys

import (
	"bytes"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/mac"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// maxVersions bounds the versions of a key.
const maxVersions = 1000

// primitives are what key material can do: one of the two.
type primitives struct {
	aead tink.AEAD
	mac  tink.MAC
}

// template is the kind of key material for a usage. AES-GCM has random nonces of 96 bits, which is enough for data
// keys: a Sealer makes few.
func (u Usage) template() *tinkpb.KeyTemplate {
	if u == GenerateVerifyMAC {
		return mac.HMACSHA256Tag256KeyTemplate()
	}
	return aead.AES256GCMKeyTemplate()
}

// open makes the primitives of a record's key material, and checks that it has the versions of the record.
func (r record) open() (p primitives, err error) {
	h, err := r.keyset()
	if err != nil {
		return p, err
	}
	ids := map[uint32]bool{}
	for _, info := range h.KeysetInfo().GetKeyInfo() {
		ids[info.GetKeyId()] = true
	}
	primary := uint32(0)
	for _, v := range r.Versions {
		if !ids[v.KeyID] {
			return p, newError(ReasonCorrupt, "key material", "each version", "less")
		}
		if v.Number == r.Version {
			primary = v.KeyID
		}
	}
	if h.KeysetInfo().GetPrimaryKeyId() != primary {
		return p, newError(ReasonCorrupt, "key material", "the current version as its primary key", "another one")
	}
	if r.Usage == GenerateVerifyMAC {
		p.mac, err = mac.New(h)
	} else {
		p.aead, err = aead.New(h)
	}
	if err != nil {
		return p, &Error{Reason: ReasonCorrupt, Rule: "key material", Want: "keys for " + string(r.Usage), Err: err}
	}
	return p, nil
}

func (r record) keyset() (*keyset.Handle, error) {
	h, err := insecurecleartextkeyset.Read(keyset.NewBinaryReader(bytes.NewReader(r.Material)))
	if err != nil {
		return nil, &Error{Reason: ReasonCorrupt, Rule: "key material", Want: "a Tink keyset", Err: err}
	}
	return h, nil
}

// setKeyset replaces the key material.
func (r *record) setKeyset(m *keyset.Manager) error {
	h, err := m.Handle()
	if err != nil {
		return unusable(err)
	}
	var b bytes.Buffer
	if err := insecurecleartextkeyset.Write(h, keyset.NewBinaryWriter(&b)); err != nil {
		return unusable(err)
	}
	r.Material = b.Bytes()
	return nil
}

func unusable(err error) error {
	return &Error{Reason: ReasonUnavailable, Rule: "key material", Err: err}
}
