package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// A process is a child that runs, or did.
type process struct {
	cmd  *exec.Cmd
	life io.Closer     // its standard input: it ends when this is closed
	done chan struct{} // closed when it has ended
}

// endLimit is how long a child may take to end before it is killed.
const endLimit = 10 * time.Second

// startProcess starts a child and waits for its answer.
func startProcess(ctx context.Context, program string, o order, logs io.Writer) (*process, answer, error) {
	cmd := exec.Command(program, childFlag)
	cmd.Stderr = logs // nil: nowhere
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, answer{}, err
	}
	// A pipe of our own, so that Wait may be called while it is read.
	stdout, theirs, err := os.Pipe()
	if err != nil {
		return nil, answer{}, err
	}
	defer stdout.Close()
	cmd.Stdout = theirs
	err = cmd.Start()
	_ = theirs.Close()
	if err != nil {
		return nil, answer{}, err
	}
	p := &process{cmd: cmd, life: stdin, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		_ = cmd.Wait()
	}()
	stop := context.AfterFunc(ctx, p.kill)
	defer stop()
	b, err := json.Marshal(o)
	if err == nil {
		_, err = stdin.Write(append(b, '\n'))
	}
	var a answer
	if err == nil {
		a, err = read(stdout)
	}
	if err != nil {
		p.end()
		if ctx.Err() != nil {
			err = context.Cause(ctx) // who killed it knows why it has no answer
		}
		return nil, a, fmt.Errorf("the process of %s: %w", o.name(), err)
	}
	return p, a, nil
}

func read(from io.Reader) (a answer, err error) {
	line, err := bufio.NewReader(from).ReadBytes('\n')
	if err != nil {
		return a, errors.New("it ended without an answer")
	}
	if err := json.Unmarshal(line, &a); err != nil {
		return a, err
	}
	if a.Error != "" {
		return a, errors.New(a.Error)
	}
	return a, nil
}

func (o order) name() string {
	if o.Region == "" {
		return "the identity provider"
	}
	return o.Region
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// kill ends the child as a power cut would: it gets no chance to do anything.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // SIGKILL
	<-p.done
}

// end lets the child end in order, or kills it.
func (p *process) end() {
	_ = p.life.Close()
	select {
	case <-p.done:
	case <-time.After(endLimit):
		p.kill()
	}
}

// ended says whether the child is gone.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}
