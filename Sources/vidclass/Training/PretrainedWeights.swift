import VidCheckpoint
import VidConfig
import VidModel
import VidReport
import VidTensor

/// Fills a new classifier's CNN with the weights its configuration names.
enum PretrainedWeights {
    /// Does nothing where `model.cnn.weights` is null. Notes go to standard error.
    static func load(_ configuration: RunConfiguration, into classifier: Classifier) async throws {
        let cnn = configuration.model.cnn
        guard let name = cnn.weights else { return }
        let path = try WeightsLibrary(hdf5: ReadHDF5Command.child).find(name, cnn.architecture)
        let weights = try await ImportedWeights.read(path, hdf5: ReadHDF5Command.child)
        Terminal.note("weights of the CNN: \(path)")
        for note in try weights.load(into: classifier.parameters) { Terminal.note("note: \(note)") }
        if let warning = weights.warning(configured: configuration.data.preprocessing) { Terminal.note("warning: \(warning)") }
    }
}
