"""What comparisons side by side have in common: both sides run one after the other, in turns, and make one table.

A peer's script takes its parameters as options and prints one line of JSON at the end, by `tell`. Apical runs a
netlist into a temporary folder. Wall time is that of the simulation alone; "whole" is that of the process, with imports,
building and writing. Memory is the largest resident set of the process, as the system counts it.

The program is target/release/apical, or what the environment variable APICAL names.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
ONE_THREAD = {name: "1" for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}


def apical():
    """The path of the program."""
    return os.environ.get("APICAL", str(ROOT / "target" / "release" / "apical"))


def options(description, rounds=3):
    """The options that all comparisons take."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=rounds, help="runs of each side; the median counts [%(default)s]")
    parser.add_argument("--threads", type=int, default=1, help="of each side [%(default)s]")
    return parser


def tell(simulator, **found):
    """The last line of a peer's script: `wall_s` for `model_s`, `spikes`, `neurons`, `threads` and what else there is."""
    print(json.dumps({"simulator": simulator} | found), flush=True)


def run(command, env=ONE_THREAD):
    """Runs a command; gives its standard output, and the most memory that it held (MiB) and how long it took (s)."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, env=os.environ | env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    texts = {}

    def read(name, pipe):
        texts[name] = pipe.read().decode()

    pipes = [("out", process.stdout), ("error", process.stderr)]
    readers = [threading.Thread(target=read, args=pipe) for pipe in pipes]
    [reader.start() for reader in readers]
    _, status, usage = os.wait4(process.pid, 0)
    [reader.join() for reader in readers]
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nended with {process.returncode}:\n{texts['error'] or texts['out']}")
    return texts["out"], {"memory": usage.ru_maxrss / 1024, "whole_s": time.perf_counter() - begun}


def peer(script, *arguments, threads=1):
    """Runs a peer's script of this folder, whose libraries may take so many threads."""
    env = {name: str(threads) for name in ONE_THREAD}
    out, process = run([sys.executable, str(HERE / script), *map(str, arguments)], env)
    return json.loads(out.splitlines()[-1]) | process


def run_json(netlist, *arguments, threads=1, program=None):
    """Runs a netlist of the repository; gives the contents of run.json, and memory and time of the process as `run`."""
    with tempfile.TemporaryDirectory() as folder:
        command = [program or apical(), "run", str(ROOT / netlist), "--threads", str(threads), "--json"]
        out, process = run(command + ["--out", folder, "--overwrite", *map(str, arguments)])
    return json.loads(out), process


def ours(netlist, *settings, population="cells", threads=1):
    """Runs a circuit of spiking neurons with one stage; gives a row as a peer's script does. Spikes are those of `population`, or
    of several."""
    names = [population] if isinstance(population, str) else population
    arguments = [part for setting in settings for part in ("--set", setting)]
    found, process = run_json(netlist, *arguments, threads=threads)
    (stage,) = found["stages"]
    populations = [found["spikes"]["populations"][name] for name in names]
    row = {
        "simulator": "Apical " + found["apical"],
        "wall_s": stage["wall_seconds"],
        "model_s": found["spikes"]["duration_ms"] / 1e3,
        "neurons": sum(of["neurons"] for of in populations),
        "spikes": sum(of["spikes"] for of in populations),
        "threads": found["threads"],
    }
    return row | process


def in_turns(sides, rounds):
    """Runs each side (name: function) once a round, one after the other; gives the runs of each."""
    found = {name: [] for name in sides}
    for turn in range(rounds):
        for name, side in sides.items():
            print(f"round {turn + 1} of {rounds}: {name}", file=sys.stderr, flush=True)
            found[name].append(side())
    return found


def cost(row):
    """Seconds of wall time a second of model time."""
    return row["wall_s"] / row["model_s"]


def median(rows, what=cost):
    return statistics.median(map(what, rows))


def rate(row):
    """Spikes a neuron and second."""
    return row["spikes"] / row["neurons"] / row["model_s"]


def machine():
    """The machine in a line."""
    cpu = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as lines:
            cpu = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{cpu}, {os.cpu_count()} processors, {platform.system()}"


def table(title, found, extra=()):
    """Prints all sides; `extra` are further columns: (heading, function of a row, format)."""
    print(f"{title}\n{machine()}; median of {max(map(len, found.values()))} (lowest to highest)\n")
    heads = ["", "wall s per model s", "model s", "spikes", "rate Hz", *[head for head, *_ in extra]]
    lines = [heads + ["threads", "whole s", "peak MiB"]]
    for name, rows in found.items():
        costs = sorted(map(cost, rows))
        last = rows[-1]
        same = last["simulator"].lower().startswith(name.lower())
        cells = [last["simulator"] + ("" if same else ", " + name)]
        cells.append(f"{median(rows):.4g} ({costs[0]:.4g} to {costs[-1]:.4g})")
        cells += [f"{last['model_s']:g}", f"{median(rows, lambda r: r['spikes']):.0f}", f"{median(rows, rate):.4g}"]
        cells += [format(median(rows, what), form) for _, what, form in extra]
        cells += [str(last["threads"]), f"{median(rows, lambda r: r['whole_s']):.1f}"]
        lines.append(cells + [f"{median(rows, lambda r: r['memory']):.0f}"])
    widths = [max(len(line[k]) for line in lines) for k in range(len(lines[0]))]
    for line in lines:
        print("  ".join(cell.ljust(width) if k == 0 else cell.rjust(width) for k, (cell, width) in enumerate(zip(line, widths))))
    print(flush=True)


def ratio(text, value, asked):
    """Prints a ratio and whether it is what is asked."""
    print(f"{text}: {value:.3g} (asked: at least {asked:g}{'' if value >= asked else '; not reached'})")
