"""Hosts as network namespaces on a bridge, each with a name of its own."""

import json
import os
import pathlib
import shlex
import stat
import subprocess

from maintain import process

PREFIX = "vidclass"
INTERFACE = "eth0"
# By itself mpirun notices only after minutes that it cannot reach a host, and waits for it so long.
KEEPALIVE = ["--mca", "oob_tcp_keepalive_time", 6, "--mca", "oob_tcp_keepalive_intvl", 3, "--mca", "oob_tcp_keepalive_probes", 3]
# The name of a namespace's host is its own (unshare --uts). mpirun calls the agent with an address and a shell command.
AGENT = """#!/bin/sh
number=${1##*.}
shift
exec ip netns exec %(prefix)s$number unshare --uts sh -c "hostname host$number; $*"
""" % {"prefix": PREFIX}


def run(*words) -> str:
    return subprocess.run(list(map(str, words)), check=True, capture_output=True, text=True).stdout


class Network:
    """`count` hosts at `rate` bit/s with `delay` seconds from one to another; removed at the end of a `with`."""

    def __init__(self, count: int, rate: float, delay: float, work: pathlib.Path):
        self.count, self.rate, self.delay = count, rate, delay
        self.agent = work / "agent.sh"
        self.agent.write_text(AGENT)
        self.agent.chmod(self.agent.stat().st_mode | stat.S_IXUSR)
        self.has_delay = False

    def __enter__(self) -> "Network":
        self.remove()
        try:
            run("ip", "link", "add", PREFIX, "type", "bridge")
            run("ip", "link", "set", PREFIX, "up")
            for number in self.numbers:
                self.add(number)
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *error) -> None:
        self.remove()

    @property
    def numbers(self) -> range:
        return range(1, self.count + 1)

    def add(self, number: int) -> None:
        space, outside = f"{PREFIX}{number}", f"{PREFIX}e{number}"
        run("ip", "netns", "add", space)
        run("ip", "link", "add", outside, "type", "veth", "peer", "name", INTERFACE, "netns", space)
        run("ip", "link", "set", outside, "master", PREFIX, "up")
        run("ip", "-n", space, "link", "set", "lo", "up")
        run("ip", "-n", space, "addr", "add", f"{self.address(number)}/24", "dev", INTERFACE)
        run("ip", "-n", space, "link", "set", INTERFACE, "up")
        self.shape(space)

    def shape(self, space: str) -> None:
        """Limits the rate, and where the kernel has netem, adds half of the delay on each side."""
        rate = f"{self.rate:.0f}bit"
        queue = ["tc", "-n", space, "qdisc", "replace", "dev", INTERFACE, "root"]
        netem = [*queue, "netem", "rate", rate, "delay", f"{1e6 * self.delay / 2:.0f}us"]
        self.has_delay = self.delay > 0 and subprocess.run(netem, capture_output=True).returncode == 0
        if not self.has_delay:
            run(*queue, "tbf", "rate", rate, "burst", "256kb", "latency", "50ms")

    def set_rate(self, rate: float | None) -> None:
        """Limits all hosts to `rate` bit/s; None for no limit and no delay."""
        for number in self.numbers:
            if rate is None:
                subprocess.run(["tc", "-n", f"{PREFIX}{number}", "qdisc", "del", "dev", INTERFACE, "root"], capture_output=True)
            else:
                self.rate = rate
                self.shape(f"{PREFIX}{number}")

    def address(self, number: int) -> str:
        return f"10.213.77.{number}"

    def inside(self, number: int, command: list) -> list[str]:
        """The command, run on a host."""
        return [str(self.agent), self.address(number), "exec " + shlex.join(map(str, command))]

    def mpirun(self, ranks: int, command: list) -> list[str]:
        """The command on the first `ranks` hosts, over TCP only."""
        hosts = ",".join(f"{self.address(number)}:1" for number in range(1, ranks + 1))
        return self.inside(1, [
            "mpirun", "--allow-run-as-root", "--host", hosts, "-n", ranks, "--bind-to", "none", "--mca", "plm_rsh_agent", self.agent,
            "--mca", "btl", "tcp,self", "--mca", "pml", "ob1", "--mca", "btl_tcp_if_include", INTERFACE, "--mca", "oob_tcp_if_include", INTERFACE,
            *KEEPALIVE, *command])

    def set_link(self, number: int, is_up: bool) -> None:
        """Pulls or plugs a host's cable."""
        run("ip", "link", "set", f"{PREFIX}e{number}", "up" if is_up else "down")

    def sent_bytes(self, number: int) -> int:
        found = json.loads(run("ip", "-n", f"{PREFIX}{number}", "-s", "-j", "link", "show", INTERFACE))
        return found[0]["stats64"]["tx"]["bytes"]

    def processes(self, number: int, program: pathlib.Path) -> list[int]:
        """The processes of a program on a host, without those that have ended."""
        found = []
        for text in run("ip", "netns", "pids", f"{PREFIX}{number}").split():
            try:
                if os.readlink(f"/proc/{text}/exe") == str(program.resolve()):
                    found.append(int(text))
            except OSError:
                pass
        return found

    def remove(self) -> None:
        """Removes everything, also what an earlier run has left."""
        spaces = [line.split()[0] for line in run("ip", "netns", "list").splitlines() if line.startswith(PREFIX)]
        for space in spaces:
            for text in run("ip", "netns", "pids", space).split():
                try:
                    os.kill(int(text), 9)
                except ProcessLookupError:
                    pass
            process.quiet("ip", "netns", "del", space)
        for name in os.listdir("/sys/class/net"):
            if name.startswith(PREFIX):
                subprocess.run(["ip", "link", "del", name], capture_output=True)
