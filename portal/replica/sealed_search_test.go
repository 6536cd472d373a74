package replica_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
	"github.com/meridian-saml/meridian/portal/shortcuts"
)

// planted are strings that name a person, and that are nowhere else.
func planted() (all []string) {
	for i := range 100 {
		all = append(all, fmt.Sprintf("planted-%02d-quokka", i))
	}
	return all
}

// plant writes each planted string into a different field that names a person.
func plant(t testing.TB, n *replica.Node) {
	t.Helper()
	p := planted()
	require.NoError(t, n.View().Update(func(tx *center.Tx) error {
		for i := range 20 {
			u := p[4*i : 4*i+4]
			err := tx.PutUser(center.User{ID: u[0], UserName: u[1] + "@example.com", DisplayName: u[2],
				Email: u[3] + "@example.com"})
			if err != nil {
				return err
			}
		}
		if err := tx.PutGroup(center.Group{ID: p[80], Name: p[81], Members: []string{p[0], p[4]}}); err != nil {
			return err
		}
		return tx.Assign(center.Assignment{Principal: center.UserPrincipal(p[0]), AccountID: "111111111111",
			PermissionSet: "ReadOnly"})
	}))
	ctx, s := background(t), n.Sessions()
	for i := range 5 {
		v := at(n, session(p[4*i], p[82+i], nil))
		v.Proof.Subject = sessions.Subject{Provider: "https://idp.example.com", NameID: sessions.NameID{Value: p[87+i]}}
		require.NoError(t, s.Create(ctx, fmt.Sprintf("key-%d", i), v))
	}
	require.NoError(t, s.RevokeUser(ctx, p[4]))
	require.NoError(t, s.Revoke(ctx, p[8], p[84]))
	require.NoError(t, s.EndSignIn(ctx, p[92], p[93], time.Now().Add(time.Hour)))
	_, err := s.EndSubject(ctx, sessions.Logout{Until: time.Now().Add(time.Hour), SessionIndexes: []string{p[95]},
		Subject: sessions.Subject{Provider: "https://idp.example.com", NameID: sessions.NameID{Value: p[94]}}})
	require.NoError(t, err)
	for i := range 4 {
		key, until := fmt.Sprintf("code-%d", i), time.Now().Add(time.Minute)
		require.NoError(t, n.Codes().PutCode(ctx, key, []byte(p[96+i]), until))
	}
	var l shortcuts.List
	l.Open(shortcuts.Target{AccountID: "111111111111", PermissionSet: p[81]}, time.Now())
	require.NoError(t, n.Shortcuts().Put(ctx, p[0], l))
	// What is changed and removed stays in the files for a while.
	require.NoError(t, n.View().Update(func(tx *center.Tx) error { return tx.RemoveUser(p[76]) }))
}

// search notes which planted strings are in data: as they are, or in base64, in which JSON has bytes.
func search(data []byte, into map[string]bool) {
	for _, s := range planted() {
		if into[s] {
			continue
		}
		into[s] = bytes.Contains(data, []byte(s))
		for _, once := range inBase64(s) {
			into[s] = into[s] || bytes.Contains(data, []byte(once))
			for _, twice := range inBase64(once) { // bytes of a value, in a message
				into[s] = into[s] || bytes.Contains(data, []byte(twice))
			}
		}
	}
}

// inBase64 returns how a string looks in base64, at any offset. What the bytes around it change is left out.
func inBase64(s string) (out []string) {
	for shift := range 3 {
		b := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + s))
		out = append(out, b[(shift*8+5)/6:len(b)-2])
	}
	return out
}

// foundIn searches all files of directories, those of deleted streams and blocks too.
func foundIn(t testing.TB, dirs ...string) map[string]bool {
	t.Helper()
	into, files := map[string]bool{}, 0
	for _, dir := range dirs {
		require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if errors.Is(err, os.ErrNotExist) || err == nil && !d.Type().IsRegular() {
				return nil
			} else if err != nil {
				return err
			}
			b, err := os.ReadFile(path)
			if errors.Is(err, os.ErrNotExist) {
				return nil
			}
			files++
			search(b, into)
			return err
		}))
	}
	require.Greater(t, files, 5)
	return into
}

func count(into map[string]bool) (n int) {
	for _, is := range into {
		if is {
			n++
		}
	}
	return n
}

// A recorder passes on a Region's connections, and keeps all bytes in both directions.
type recorder struct {
	net.Listener
	to string
	mu sync.Mutex
	b  bytes.Buffer
}

func recordWire(t testing.TB, to string) *recorder {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &recorder{Listener: l, to: strings.TrimPrefix(to, "nats://")}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", r.to)
			if err != nil {
				_ = in.Close()
				continue
			}
			pass := func(from, to net.Conn) {
				_, _ = io.Copy(to, io.TeeReader(from, r))
				_, _ = from.Close(), to.Close()
			}
			go pass(in, out)
			go pass(out, in)
		}
	}()
	return r
}

func (r *recorder) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.Write(b)
}

func (r *recorder) bytes() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Clone(r.b.Bytes())
}

func (r *recorder) url() string { return "nats://" + r.Addr().String() }
