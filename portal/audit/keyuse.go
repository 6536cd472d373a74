package audit

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Key encrypts and decrypts data keys: keys.Use of package portal/keys, or a KMS's driver.
type Key interface {
	EncryptWithContext(ctx context.Context, plaintext, associatedData []byte) ([]byte, error)
	DecryptWithContext(ctx context.Context, ciphertext, associatedData []byte) ([]byte, error)
}

// A KeyUse is a Key whose use is written to the Logs that have it in Config.Keys: the first use of each hour, the first
// failure of each minute, the first use after a failure, and how many more there were. It never waits for a Log,
// because a Log may wait for the key.
type KeyUse struct {
	key  Key
	arn  string
	code func(error) string

	mu     sync.Mutex
	logs   []*Log            // guarded by mu, as are the fields below
	counts map[keyResult]int // since the last writeCounts
	early  []keyEvent        // before there was a Log
	failed map[string]bool   // whether the last call of an operation failed
}

type keyResult struct{ operation, code string }

type keyEvent struct {
	keyResult
	at      time.Time
	message string
}

// UseKey returns a KeyUse. The ARN or ID names the key in events. Refused returns the reason of a key's refusal, which
// becomes errorCode, as keys.Refused does. Other errors are "Unavailable".
func UseKey[R ~string](key Key, arn string, refused func(error) (R, bool)) *KeyUse {
	code := func(err error) string {
		if r, ok := refused(err); ok {
			return string(r)
		}
		return "Unavailable"
	}
	return &KeyUse{key: key, arn: arn, code: code, counts: map[keyResult]int{}, failed: map[string]bool{}}
}

// EncryptWithContext encrypts with the Key.
func (k *KeyUse) EncryptWithContext(ctx context.Context, plaintext, associatedData []byte) ([]byte, error) {
	out, err := k.key.EncryptWithContext(ctx, plaintext, associatedData)
	k.note(ctx, "GenerateDataKey", err)
	return out, err
}

// DecryptWithContext decrypts with the Key.
func (k *KeyUse) DecryptWithContext(ctx context.Context, ciphertext, associatedData []byte) ([]byte, error) {
	out, err := k.key.DecryptWithContext(ctx, ciphertext, associatedData)
	k.note(ctx, "Decrypt", err)
	return out, err
}

// Version returns the key's version, if it has one, or 0.
func (k *KeyUse) Version() uint32 {
	if v, ok := k.key.(interface{ Version() uint32 }); ok {
		return v.Version()
	}
	return 0
}

// otherCiphertext reports whether the key refused what it had not encrypted. The key did answer, and a client can cause
// it by a forged token, so that says nothing about whether the key can be used.
func (r keyResult) otherCiphertext() bool {
	return strings.HasSuffix(r.code, "InvalidCiphertextException")
}

// maxEarly bounds what is known of the time before there is a Log.
const maxEarly = 16

// note counts a call, and writes it if it is the first of its kind.
func (k *KeyUse) note(ctx context.Context, operation string, err error) {
	e := keyEvent{keyResult: keyResult{operation: operation}}
	if err != nil {
		e.code, e.message = k.code(err), cut(err.Error(), maxQuoted)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.counts[e.keyResult]++
	recovered := err == nil && k.failed[operation]
	if !e.otherCiphertext() {
		k.failed[operation] = err != nil
	}
	if k.counts[e.keyResult] > 1 && !recovered {
		return
	}
	if len(k.logs) == 0 && len(k.early) < maxEarly {
		e.at = time.Now()
		k.early = append(k.early, e)
	}
	for _, l := range k.logs {
		k.write(ctx, l, e, 0)
	}
}

func (k *KeyUse) write(ctx context.Context, l *Log, e keyEvent, count int) {
	about := map[string]string{"keyId": k.arn}
	if count > 0 {
		about["count"] = strconv.Itoa(count)
	}
	if count == 0 && !e.otherCiphertext() {
		l.alerts.Observe(ValueKeyUsable, l.cfg.Region, usable(e.code == ""))
	}
	event := Event{
		Time: e.at, Source: SourceKMS, Name: e.operation, Type: APICall, Identity: Service(), ReadOnly: true,
		ErrorCode: e.code, ErrorMessage: e.message, Request: about,
	}
	if e.otherCiphertext() { // within the quota of what clients cause
		l.Refused(ctx, event)
		return
	}
	event.ClientAddr, event.UserAgent = SourceSSO, SourceSSO
	line, err := l.line(event)
	if err == nil {
		err = l.chains[Changes].put(&entry{lines: [][]byte{line}})
	}
	if err != nil && reasonOf(err) != ReasonClosed {
		l.failed(Changes, 1, err)
	}
}

func usable(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// writeCounts writes how often there was the same result again, and begins again. Uses are counted by the hour.
func (k *KeyUse) writeCounts(l *Log, hour bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.logs) > 0 && k.logs[0] != l {
		return // the first Log counts for all
	}
	for r, n := range k.counts {
		if r.code == "" && !hour {
			continue
		}
		for _, l := range k.logs {
			if n > 1 {
				k.write(context.Background(), l, keyEvent{keyResult: r}, n-1)
			}
		}
		delete(k.counts, r)
	}
}

func (k *KeyUse) attach(l *Log) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, e := range k.early {
		k.write(context.Background(), l, e, 0)
	}
	k.logs, k.early = append(k.logs, l), nil
}

func (k *KeyUse) detach(l *Log) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, one := range k.logs {
		if one == l {
			k.logs = append(k.logs[:i:i], k.logs[i+1:]...)
			return
		}
	}
}
