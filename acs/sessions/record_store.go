package sessions

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"time"
)

// RecordStore is a [Store] in [Records], for a Region of several nodes, or for Regions that share them.
//
// An end of sessions is a record of its own (of a sign-in, of a user, of a subject's SessionIndex), and every read of a
// session reads those that could end it. So a session that is created while it is ended has ended, and no node needs to
// hear of it. Two indexes list the sessions of a user and of a subject. They only serve List, Revoke and what
// EndSubject returns.
type RecordStore struct{ cfg RecordConfig }

// RecordConfig describes a [RecordStore].
type RecordConfig struct {
	// Records keeps the records. Required.
	Records Records
	// Region names this store's component of every Epoch. It may be empty.
	Region string
	// Sealer seals the records. Required without InsecurePlaintext. Keys of records are then hashes with a random key,
	// which is a record itself, sealed, and never changes. So a client that can read the database sees how many records
	// of each kind there are, and nothing of whom they are. One that can write to it can put back an older value of the
	// same key, and with all of a user's records sessions that have ended, until they expire. If the record of the key is
	// lost, all sessions end.
	Sealer Sealer
	// InsecurePlaintext stores the records as they are: users' names and sign-ins. It can't be set with Sealer.
	InsecurePlaintext bool
	// InsecureOpenPlaintext accepts records that were stored without a Sealer, in the time of an upgrade. A write
	// seals them. Until it is unset, a client that can write to the database can make sessions. Unset it when a session
	// can't be older: sessions from before the upgrade end then. Zero: such a record is not found.
	InsecureOpenPlaintext bool
}

// NewRecordStore returns a RecordStore. It panics without Records, and unless either Sealer or InsecurePlaintext is
// set.
func NewRecordStore(cfg RecordConfig) *RecordStore {
	if cfg.Records == nil {
		panic("sessions: RecordConfig.Records is required")
	}
	if (cfg.Sealer == nil) != cfg.InsecurePlaintext {
		panic("sessions: either RecordConfig.Sealer or RecordConfig.InsecurePlaintext is required")
	}
	if cfg.Sealer != nil {
		cfg.Records = &namedRecords{sealed: sealedRecords{cfg.Records, cfg.Sealer, cfg.InsecureOpenPlaintext}}
	}
	return &RecordStore{cfg}
}

const (
	// maxIndex is how many sessions an index lists. The oldest are dropped: they live on, and end by all but Revoke.
	maxIndex = 500
	// maxIndexes is how many SessionIndexes of a Logout are kept. With more, all sessions of the subject end.
	maxIndexes = 100
	// late is how much longer than a session its records live, since the clock of the Records may differ.
	late = time.Hour
)

// epochKind is the kind of records that live forever.
const epochKind = "epoch"

// The records.
func sessionRecord(key string) string      { return record("session", key) }
func signInRecord(s Session) string        { return record("ended", s.UserID, s.SignIn) }
func epochRecord(userID string) string     { return record(epochKind, userID) }
func userRecord(userID string) string      { return record("user", userID) }
func subjectRecord(subject Subject) string { return record("subject", subjectParts(subject)...) }

// logoutRecord is that of a SessionIndex, or of all sessions of the subject, or of those without an index.
func logoutRecord(subject Subject, kind, index string) string {
	return record("logout", append(subjectParts(subject), kind, index)...)
}

const (
	logoutNamed   = "named"
	logoutAll     = "all"
	logoutUnnamed = "unnamed"
)

func subjectParts(s Subject) []string {
	s = s.Key()
	n := s.NameID
	return []string{s.Provider, s.ServiceProvider, n.Value, n.Format, n.NameQualifier, n.SPNameQualifier}
}

// record returns a key of a fixed length. The JSON of the parts is unambiguous.
func record(kind string, parts ...string) string {
	b, _ := json.Marshal(parts) // strings, which can't fail
	sum := sha256.Sum256(b)
	return kind + "." + hex.EncodeToString(sum[:])
}

// Create implements Store.
func (m *RecordStore) Create(ctx context.Context, key string, s Session) error {
	s = s.Wall()
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := m.cfg.Records.Write(ctx, sessionRecord(key), b, "", s.Expires.Add(late)); err != nil {
		return err
	}
	if err := m.list(ctx, userRecord(s.UserID), key, s); err != nil {
		return err
	}
	return m.list(ctx, subjectRecord(s.Proof.Subject), key, s)
}

// listed is a session in an index.
type listed struct {
	Key     string    `json:"k"`
	Created time.Time `json:"c"`
	Expires time.Time `json:"e"`
}

func (m *RecordStore) list(ctx context.Context, index, key string, s Session) error {
	return change(ctx, m.cfg.Records, index, func(old []byte) ([]byte, time.Time, error) {
		all, err := decodeList(old)
		if err != nil {
			return nil, time.Time{}, err
		}
		all = slices.DeleteFunc(all, func(l listed) bool { return !s.Created.Before(l.Expires) })
		all = append(all, listed{key, s.Created, s.Expires})
		slices.SortFunc(all, func(a, b listed) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Key, b.Key)) })
		all = all[max(0, len(all)-maxIndex):]
		last := slices.MaxFunc(all, func(a, b listed) int { return a.Expires.Compare(b.Expires) })
		b, err := json.Marshal(all)
		return b, last.Expires.Add(late), err
	})
}

func decodeList(b []byte) (all []listed, err error) {
	if b != nil {
		err = json.Unmarshal(b, &all)
	}
	return all, err
}

// Get implements Store.
func (m *RecordStore) Get(ctx context.Context, key string) (Session, error) {
	all, err := m.cfg.Records.Read(ctx, sessionRecord(key))
	if err != nil {
		return Session{}, err
	}
	return m.alive(ctx, all[0])
}

// alive decodes a session, unless it has ended.
func (m *RecordStore) alive(ctx context.Context, r Record) (s Session, err error) {
	if r.Value == nil {
		return Session{}, ErrNoSession
	}
	if err := json.Unmarshal(r.Value, &s); err != nil {
		return Session{}, err
	}
	over, err := m.ended(ctx, s)
	if err == nil && !over {
		over, err = m.LoggedOut(ctx, s)
	}
	if err == nil && over {
		err = ErrNoSession
	}
	if err != nil {
		return Session{}, err
	}
	return s, nil
}

// Touch implements Store.
func (m *RecordStore) Touch(ctx context.Context, key string, seen time.Time) error {
	seen = seen.Round(0)
	return change(ctx, m.cfg.Records, sessionRecord(key), func(old []byte) (v []byte, exp time.Time, err error) {
		s, err := m.alive(ctx, Record{Value: old})
		if err != nil || !seen.After(s.Seen) {
			return nil, exp, err
		}
		s.Seen = seen
		v, err = json.Marshal(s)
		return v, s.Expires.Add(late), err
	})
}

// End implements Store.
func (m *RecordStore) End(ctx context.Context, key string) error {
	return m.cfg.Records.Delete(ctx, sessionRecord(key))
}

// Revoke implements Store.
func (m *RecordStore) Revoke(ctx context.Context, userID, id string) error {
	all, err := m.read(ctx, userRecord(userID))
	if err != nil {
		return err
	}
	for key, s := range all {
		if s.ID == id && s.UserID == userID {
			return m.End(ctx, key)
		}
	}
	return ErrNoSession
}

// List implements Store.
func (m *RecordStore) List(ctx context.Context, userID string) (out []Session, err error) {
	all, err := m.read(ctx, userRecord(userID))
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		out = append(out, s)
	}
	slices.SortFunc(out, NewestFirst)
	return out, nil
}

// read returns the sessions of an index that have not ended, by key.
func (m *RecordStore) read(ctx context.Context, index string) (map[string]Session, error) {
	r, err := m.cfg.Records.Read(ctx, index)
	if err != nil {
		return nil, err
	}
	all, err := decodeList(r[0].Value)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	var keys []string
	for _, l := range all {
		keys = append(keys, sessionRecord(l.Key))
	}
	records, err := m.cfg.Records.Read(ctx, keys...)
	if err != nil {
		return nil, err
	}
	out := map[string]Session{}
	for i, r := range records {
		s, err := m.alive(ctx, r)
		switch {
		case err == nil:
			out[all[i].Key] = s
		case !errors.Is(err, ErrNoSession):
			return nil, err
		}
	}
	return out, nil
}
