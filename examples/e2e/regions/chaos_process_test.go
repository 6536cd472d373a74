//go:build unix

package regions_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/meridian-saml/meridian/examples/internal/loopback"
)

// process is a process of the test, which is started and ended many times. It
// has one fault at a time.
type process struct {
	order order

	fault sync.Mutex // held during a fault
	mu    sync.Mutex
	cmd   *exec.Cmd
	life  io.Closer
}

// start starts it, and returns when it is up or has failed.
func (p *process) start() error {
	text, err := json.Marshal(p.order)
	if err != nil {
		return err
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), chaosOrder+"="+string(text))
	cmd.Stderr = os.Stderr
	life, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	p.mu.Lock()
	p.cmd, p.life = cmd, life
	p.mu.Unlock()
	said := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(out).ReadString('\n')
		said <- strings.TrimSuffix(line, "\n")
		_, _ = io.Copy(io.Discard, out)
	}()
	select {
	case line := <-said:
		if line == "up" {
			return nil
		}
		p.kill()
		return errors.New(p.name() + ": " + line)
	case <-time.After(90 * time.Second):
		p.kill()
		return errors.New(p.name() + ": not up after 90 s")
	}
}

// kill is SIGKILL, by the process's own ID.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		p.cmd = nil
	}
}

// signal stops or continues it.
func (p *process) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		_ = p.cmd.Process.Signal(s)
	}
}

func (p *process) name() string {
	if p.order.NATS != nil {
		return p.order.NATS.Name
	}
	return fmt.Sprintf("%s:%d", p.order.Place.Name, p.order.Portal)
}

// addressOf returns the address of a node's own portal.
func addressOf(p *process) string { return loopback.Address(p.order.Portal) }
