import VidConfig
import VidData

extension DataConfiguration {
    /// How parts that the data does not name are made.
    package func splitOptions(seed: UInt64) -> DataSet.SplitOptions {
        DataSet.SplitOptions(seed: seed, validation: validationSplit, test: testSplit)
    }
}

extension ClipLoader {
    /// Loads clips as a run's configuration says.
    package init(_ configuration: RunConfiguration) {
        self.init(input: configuration.model.input, data: configuration.data, augmentation: configuration.augmentation)
    }
}
