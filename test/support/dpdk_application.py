# SPDX-License-Identifier: BSD-3-Clause
"""A DPDK application that a test starts, talks to and ends; and what testpmd prints, as numbers."""

import json
import os
import re
import signal
import subprocess
import threading
import time


class Failed(Exception):
    """What was wanted did not come true."""


class Application:
    """A process with its standard input, and its output as it comes: on a terminal, so that what
    it prints is not kept back."""

    def __init__(self, name, command, environment):
        self.name = name
        self.output = ""
        self.terminal, other = os.openpty()
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=other, stderr=other,
            env={**os.environ, **environment})
        os.close(other)
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        while True:
            try:
                text = os.read(self.terminal, 65536)
            except OSError:  # nobody has the other side any more
                text = b""
            with self.changed:
                self.output += text.replace(b"\r", b"").decode(errors="replace")
                self.changed.notify_all()
            if not text:
                return

    def mark(self):
        """A place in the output, to look for what comes after it."""
        with self.changed:
            return len(self.output)

    def wait_for(self, words, mark=0, seconds=60):
        """Waits until the output has the words (a regular expression) behind a mark."""
        limit = time.monotonic() + seconds
        with self.changed:
            while True:
                match = re.search(words, self.output[mark:], re.MULTILINE)
                if match:
                    return match
                left = limit - time.monotonic()
                if left <= 0 or not self.reader.is_alive():
                    raise Failed(f"{self.name} ({self.state()}): no '{words}' in:\n"
                                 f"{self.output[mark:][-3000:]}")
                self.changed.wait(min(left, 1))

    def say(self, line):
        """Writes a line to its standard input. Returns the mark before it."""
        mark = self.mark()
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        return mark

    def state(self):
        """For messages."""
        status = self.process.poll()
        return "runs" if status is None else f"ended with status {status}"

    def alive(self):
        """Whether it still runs."""
        return self.process.poll() is None

    def wait(self, seconds=60):
        """Waits for its end. Returns the exit status."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failed(f"{self.name} does not end:\n{self.output[-2000:]}") from None
        self.reader.join(10)
        return status

    def interrupt(self):
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def kill(self):
        """For a test that failed."""
        if self.alive():
            self.process.kill()
            self.process.wait()


class Testpmd(Application):
    """dpdk-testpmd, interactive."""

    def __init__(self, eal, arguments, environment):
        super().__init__("testpmd", ["dpdk-testpmd", *eal, "--", "-i", *arguments], environment)
        self.wait_for(r"^testpmd> ")

    def command(self, line):
        """Gives a command and waits until the next can be given. Returns what it printed."""
        mark = self.say(line)
        self.wait_for(r"testpmd> ", mark)
        return self.output[mark:]

    def stop(self):
        """Stops forwarding. Returns its sums over all ports: RX-packets, TX-dropped, ..."""
        text = self.command("stop")
        sums = text.split("Accumulated forward statistics for all ports")
        if len(sums) != 2:
            raise Failed(f"testpmd printed no statistics:\n{text}")
        return {name: int(value) for name, value in re.findall(r"([RT]X-\w+): *(\d+)", sums[1])}

    def complaints(self):
        """What the plugin logged."""
        return "\n".join(line for line in self.output.splitlines() if "SHUNT" in line)

    def quit(self):
        """Ends it, and says how."""
        self.say("quit")
        status = self.wait()
        if status != 0 or "Bye..." not in self.output:
            raise Failed(f"testpmd ended with status {status}:\n{self.output[-2000:]}")


class Control:
    """`shunt ctl` for one process."""

    def __init__(self, shunt, prefix, environment):
        self.command = [shunt, "ctl", "--file-prefix", prefix]
        self.environment = {**os.environ, **environment}

    def run(self, *words):
        """Runs it. Returns status and output."""
        done = subprocess.run([*self.command, *words], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env=self.environment, timeout=120,
                              check=False, text=True)
        return done.returncode, done.stdout

    def json(self, *words):
        """Runs it. Returns its JSON."""
        status, text = self.run("--json", *words)
        if status:
            raise Failed(f"shunt ctl {' '.join(words)}: {text}")
        return json.loads(text)


def telemetry(prefix, command):
    """Asks a process by DPDK's own script."""
    done = subprocess.run(["dpdk-telemetry.py", "-f", prefix], input=command + "\n", check=True,
                          capture_output=True, text=True, timeout=60)
    return json.loads(done.stdout)[command.split(",")[0]]
