# SPDX-License-Identifier: BSD-3-Clause
"""DPDK's telemetry socket, asked directly: a question takes less than a millisecond."""

import json
import os
import socket
import time

from dpdk_application import Failed


class Telemetry:
    """A process, by its file prefix."""

    def __init__(self, prefix):
        path = f"/var/run/dpdk/{prefix}/dpdk_telemetry.v2"
        limit = time.monotonic() + 60
        while not os.path.exists(path) and time.monotonic() < limit:
            time.sleep(0.1)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(60)
        self.socket.connect(path)
        self.room = json.loads(self.socket.recv(1024))["max_output_len"] + 1024

    def close(self):
        """Hangs up."""
        self.socket.close()

    def try_ask(self, command):
        """Asks. Returns the answer, an object or a text."""
        self.socket.send(command.encode())
        return json.loads(self.socket.recv(self.room))[command.split(",")[0]]

    def ask(self, command):
        """Asks. An error is a failure."""
        answer = self.try_ask(command)
        if isinstance(answer, str) and answer.startswith("error:"):
            raise Failed(f"{command}: {answer}")
        return answer

    def group(self):
        """Number of the only port group."""
        groups = list(self.ask("/shunt/list")["groups"])
        if len(groups) != 1:
            raise Failed(f"one group is wanted: {groups}")
        return groups[0]

    def frames(self, port):
        """Frames that a port received and sent."""
        stats = self.ask(f"/ethdev/stats,{port}")
        return stats["ipackets"], stats["opackets"]
