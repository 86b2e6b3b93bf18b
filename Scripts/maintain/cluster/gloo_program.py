"""One of two ranks of a training step by DistributedDataParallel with Gloo: prints the clips a second of both."""

import argparse
import json
import statistics
import time

import torch
import torch.distributed
from maintain import torch_network as network
from maintain.peers import programs

WARMUPS, STEPS = 2, 5
CLASSES = 4


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ["rank", "port", "frames", "size", "batch"]:
        parser.add_argument(f"--{name}", type=int, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    torch.set_flush_denormal(True)
    torch.distributed.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{options.port}", rank=options.rank, world_size=2)
    # channels_last is PyTorch's faster order here.
    classic = programs.classic(options)
    model = network.Classifier(network.cnn_module(classic), programs.FEATURES, classic, CLASSES).to(memory_format=torch.channels_last)
    parallel = torch.nn.parallel.DistributedDataParallel(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-5, momentum=0, foreach=True)
    clips = options.batch // 2
    batch = torch.rand(clips * options.frames, 3, options.size, options.size).to(memory_format=torch.channels_last)
    truth = torch.arange(clips) % CLASSES
    times = []
    for _ in range(WARMUPS + STEPS):
        torch.distributed.barrier()
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(parallel(batch), truth).backward()
        optimizer.step()
        torch.distributed.barrier()
        times.append(time.perf_counter() - start)
    print(json.dumps({"clips_per_second": options.batch / statistics.median(times[WARMUPS:])}), flush=True)
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
