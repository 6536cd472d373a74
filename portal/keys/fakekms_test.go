package keys_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const kmsAccount = "111122223333"

// A fakeKMS speaks the protocol of AWS KMS (AWS JSON 1.1) for all Regions, which it tells by the scope of the
// signature. It doesn't verify signatures.
type fakeKMS struct {
	*httptest.Server
	mu      sync.Mutex
	regions map[string]map[string]*kmsReplica // by Region and key ID
	down    bool
	calls   map[string]int // by Region and operation
}

// A kmsReplica is a key in one Region.
type kmsReplica struct {
	material  []byte
	state     string
	usage     string
	forbidden []string // actions that the policy doesn't allow
	multi     bool
}

func newFakeKMS(t *testing.T) *fakeKMS {
	k := &fakeKMS{regions: map[string]map[string]*kmsReplica{}, calls: map[string]int{}}
	k.Server = httptest.NewServer(k)
	t.Cleanup(k.Close)
	return k
}

// create makes a key with these replicas.
func (k *fakeKMS) create(id string, regions ...string) {
	material := make([]byte, 32)
	_, _ = rand.Read(material) // never fails
	for _, region := range regions {
		if k.regions[region] == nil {
			k.regions[region] = map[string]*kmsReplica{}
		}
		k.regions[region][id] = &kmsReplica{
			material: material, state: "Enabled", usage: "ENCRYPT_DECRYPT", multi: strings.HasPrefix(id, "mrk-"),
		}
	}
}

// edit changes a key in one Region.
func (k *fakeKMS) edit(region, id string, f func(*kmsReplica)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f(k.regions[region][id])
}

func (k *fakeKMS) setDown(down bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.down = down
}

func (k *fakeKMS) count(call string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.calls[call]
}

var kmsScope = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=[^/]+/\d{8}/([a-z0-9-]+)/kms/aws4_request,`)

// ServeHTTP implements http.Handler.
func (k *fakeKMS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	answer := func(status int, v any) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	fail := func(status int, code string) {
		answer(status, map[string]string{"__type": code, "message": "said by KMS"})
	}
	var in struct {
		KeyID             string            `json:"KeyId"`
		Plaintext         []byte            `json:"Plaintext"`
		CiphertextBlob    []byte            `json:"CiphertextBlob"`
		EncryptionContext map[string]string `json:"EncryptionContext"`
	}
	operation, isKMS := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "TrentService.")
	scope := kmsScope.FindStringSubmatch(r.Header.Get("Authorization"))
	switch {
	case k.down:
		fail(http.StatusInternalServerError, "KMSInternalException")
		return
	case !isKMS || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-amz-json-1.1":
		fail(http.StatusBadRequest, "UnknownOperationException")
		return
	case scope == nil:
		fail(http.StatusBadRequest, "MissingAuthenticationTokenException")
		return
	case json.NewDecoder(r.Body).Decode(&in) != nil:
		fail(http.StatusBadRequest, "SerializationException")
		return
	}
	region := scope[1]
	k.calls[region+" "+operation]++
	one := k.regions[region][in.KeyID]
	arn := "arn:aws:kms:" + region + ":" + kmsAccount + ":key/" + in.KeyID
	switch {
	case one == nil:
		fail(http.StatusBadRequest, "NotFoundException")
		return
	case slices.Contains(one.forbidden, "kms:"+operation):
		fail(http.StatusBadRequest, "AccessDeniedException")
		return
	case operation == "DescribeKey":
		answer(http.StatusOK, map[string]any{"KeyMetadata": map[string]any{
			"AWSAccountId": kmsAccount, "KeyId": in.KeyID, "Arn": arn, "KeyState": one.state, "KeyUsage": one.usage,
			"Enabled": one.state == "Enabled", "MultiRegion": one.multi, "KeyManager": "CUSTOMER", "Origin": "AWS_KMS",
			"CreationDate": time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC).Unix(), "KeySpec": "SYMMETRIC_DEFAULT",
		}})
		return
	case one.usage != "ENCRYPT_DECRYPT":
		fail(http.StatusBadRequest, "InvalidKeyUsageException")
		return
	case one.state == "Disabled":
		fail(http.StatusBadRequest, "DisabledException")
		return
	case one.state != "Enabled":
		fail(http.StatusBadRequest, "KMSInvalidStateException")
		return
	}
	// The JSON of a map has its keys in order. A ciphertext begins with the key's ID, as KMS finds the key by it.
	bound, _ := json.Marshal(in.EncryptionContext)
	block, _ := aes.NewCipher(one.material)
	aead, _ := cipher.NewGCMWithRandomNonce(block)
	label := []byte(in.KeyID + " ")
	switch operation {
	case "Encrypt":
		answer(http.StatusOK, map[string]any{"KeyId": arn, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
			"CiphertextBlob": aead.Seal(label, nil, in.Plaintext, bound)})
	case "Decrypt":
		sealed, ours := bytes.CutPrefix(in.CiphertextBlob, label)
		if !ours {
			fail(http.StatusBadRequest, "IncorrectKeyException")
			return
		}
		plain, err := aead.Open(nil, nil, sealed, bound)
		if err != nil {
			fail(http.StatusBadRequest, "InvalidCiphertextException")
			return
		}
		answer(http.StatusOK, map[string]any{"KeyId": arn, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT", "Plaintext": plain})
	default:
		fail(http.StatusBadRequest, "UnknownOperationException")
	}
}
