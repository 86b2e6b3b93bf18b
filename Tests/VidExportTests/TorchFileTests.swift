import Testing
import VidCheckpoint
import VidExport
import VidSystem
import VidTestSupport

@Suite struct TorchFileTests {
    private let box: TestFolder

    init() throws { box = try TestFolder() }

    private func tensors(_ network: TestNetwork, _ part: ExportedPart = .whole) -> [String: ExportedTensor] {
        Dictionary(uniqueKeysWithValues: TorchFile(network.exported, part).tensors.map { ($0.name, $0) })
    }

    @Test func namesAndLayoutsArePyTorchs() throws {
        let network = try TestNetwork(TestNetwork.model())
        let tensors = tensors(network)
        #expect(tensors["encoder.first.weight"]?.shape == [4, 3, 3, 3] && tensors["encoder.first.bias"]?.shape == [4])
        #expect(tensors["encoder.deep.weight"]?.shape == [4, 1, 3, 3] && tensors["encoder.norm.running_var"]?.shape == [4])
        #expect(tensors["recurrent_0.weight_ih_l0"]?.shape == [8, 4] && tensors["recurrent_0.weight_hh_l0"]?.shape == [8, 2])
        // i, f, g, o, and all of the bias in one of two.
        #expect(tensors["recurrent_0.bias_ih_l0"]?.values() == (try network.values("recurrent_0/bias")))
        #expect(tensors["recurrent_0.bias_hh_l0"]?.values().allSatisfy { $0 == 0 } == true)
        #expect(tensors["output.weight"]?.shape == [2, 3])
        #expect(self.tensors(network, .encoder)["first.weight"] != nil && self.tensors(network, .head)["encoder.first.weight"] == nil)
    }

    /// z, r, h of the checkpoint are r, z, n in PyTorch.
    @Test func gatesOfAGRU() throws {
        let network = try TestNetwork(TestNetwork.model(#"{"type": "gru", "units": 2}"#))
        let (tensors, own) = (tensors(network), try network.values("recurrent_0/bias"))
        #expect(tensors["recurrent_0.bias_ih_l0"]?.values() == [2, 3, 0, 1, 4, 5].map { own[$0] })
        #expect(tensors["recurrent_0.bias_hh_l0"]?.values() == [8, 9, 6, 7, 10, 11].map { own[$0] })
        let kernel = try network.values("recurrent_0/kernel")
        let row = [2, 8, 14, 20].map { kernel[$0] }
        #expect(tensors["recurrent_0.weight_ih_l0"]?.values().starts(with: row) == true)
    }

    @Test func theModuleIsBesideItsWeights() throws {
        let network = try TestNetwork(TestNetwork.model(), data: #"{"preprocessing": "caffe", "short_clips": "mask"}"#)
        let export = try ModelExport(network.exported, .torch, .whole, version: "1")
        #expect(try export.write(to: box("m.safetensors"), checkpoint: box("best.safetensors")) == [box("m.safetensors"), box("m.py")])
        let source = String(decoding: try box.bytes("m.py"), as: UTF8.self)
        for line in [
            #"CLASSES = ["left","right"]"#, #"with_name("m.safetensors")"#, "x = x.float()[:, [2, 1, 0]]", "class Recurrent(nn.Module):",
            "self.first = nn.Conv2d(3, 4, (3, 3), stride=(2, 2))", "F.pad(x, (1, 1, 0, 1), value=0.0)", "def forward(self, x, length):",
        ] { #expect(source.contains(line), "\(line)") }
        #expect(!source.contains("class Attention"))
        #expect(try SafetensorsFile(box("m.safetensors")).metadata["format"] == "pt")
        // Again over its own file, but not over the user's.
        _ = try export.write(to: box("m.safetensors"), checkpoint: box("best.safetensors"))
        try box.write("n.py", text: "import os\n")
        let error = failure { _ = try export.write(to: box("n.safetensors"), checkpoint: box("best.safetensors")) }
        #expect(error?.kind == .usage && !box.exists("n.safetensors"))
        #expect(failure { _ = try export.write(to: box("m.safetensors"), checkpoint: box("m.safetensors")) }?.kind == .usage)
    }

    @Test func namesThatPythonKeepsAreChanged() {
        var module = TorchModule()
        #expect(module.add("train", "nn.ReLU()") == "train_" && module.add("own-1", "nn.ReLU()") == "own_1")
        #expect(module.add("own_1", "nn.ReLU()") == "own_1_" && module.add("1", "nn.ReLU()") == "_1")
    }
}
