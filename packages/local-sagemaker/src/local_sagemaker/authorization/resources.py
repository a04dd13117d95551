"""Which resource each operation touches: one table.

A resource is the end of an ARN whose ``{Parameter}`` fields the request fills; a parameter that already holds
an ARN is the resource itself, one that holds a list stands for that many resources. An operation that is not
listed has no resource of its own, so that only a policy with ``Resource: "*"`` allows it. An operation listed
twice needs both. Source: Service Authorization Reference, the actions and resource types of each service; where
the table departs from it, DEPARTURES say why.
"""

from __future__ import annotations

SAGEMAKER = {
    "automl-job/{AutoMLJobName}": (
        "CreateAutoMLJob CreateAutoMLJobV2 DescribeAutoMLJob DescribeAutoMLJobV2 StopAutoMLJob"
    ),
    "model/{ModelName}": "CreateModel DescribeModel DeleteModel",
    "model-package/{ModelPackageName}": "DescribeModelPackage DeleteModelPackage",
    "model-package/{ModelPackageGroupName}/*": "CreateModelPackage ListModelPackages",
    "model-package-group/{ModelPackageGroupName}": (
        "CreateModelPackage CreateModelPackageGroup DescribeModelPackageGroup DeleteModelPackageGroup "
        "GetModelPackageGroupPolicy PutModelPackageGroupPolicy DeleteModelPackageGroupPolicy"
    ),
    "{ModelPackageArn}": "UpdateModelPackage",
    "{ModelPackageArnList}": "BatchDescribeModelPackage",
    "model-card/{ModelCardName}": "CreateModelCard DescribeModelCard UpdateModelCard DeleteModelCard",
    "endpoint-config/{EndpointConfigName}": (
        "CreateEndpointConfig DescribeEndpointConfig DeleteEndpointConfig CreateEndpoint UpdateEndpoint"
    ),
    "endpoint/{EndpointName}": (
        "CreateEndpoint UpdateEndpoint DescribeEndpoint DeleteEndpoint UpdateEndpointWeightsAndCapacities "
        "InvokeEndpoint InvokeEndpointAsync InvokeEndpointWithResponseStream"
    ),
    "processing-job/{ProcessingJobName}": (
        "CreateProcessingJob DescribeProcessingJob StopProcessingJob DeleteProcessingJob"
    ),
    "training-job/{TrainingJobName}": "CreateTrainingJob DescribeTrainingJob StopTrainingJob",
    "hyper-parameter-tuning-job/{HyperParameterTuningJobName}": (
        "CreateHyperParameterTuningJob DescribeHyperParameterTuningJob StopHyperParameterTuningJob "
        "ListTrainingJobsForHyperParameterTuningJob"
    ),
    "transform-job/{TransformJobName}": "CreateTransformJob DescribeTransformJob StopTransformJob",
    "pipeline/{PipelineName}": (
        "CreatePipeline UpdatePipeline DeletePipeline DescribePipeline StartPipelineExecution "
        "ListPipelineExecutions"
    ),
    "{PipelineArn}": "ListPipelineVersions UpdatePipelineVersion",
    "{PipelineExecutionArn}": (
        "DescribePipelineExecution ListPipelineExecutionSteps StopPipelineExecution "
        "RetryPipelineExecution UpdatePipelineExecution DescribePipelineDefinitionForExecution "
        "ListPipelineParametersForExecution"
    ),
    "experiment/{ExperimentName}": "CreateExperiment DescribeExperiment DeleteExperiment",
    "{ResourceArn}": "AddTags DeleteTags ListTags",
}
LAMBDA = {
    "function:{FunctionName}": (
        "CreateFunction GetFunction GetFunctionConfiguration UpdateFunctionCode "
        "UpdateFunctionConfiguration DeleteFunction Invoke InvokeAsync AddPermission RemovePermission "
        "GetPolicy PublishVersion ListVersionsByFunction PutFunctionConcurrency GetFunctionConcurrency "
        "DeleteFunctionConcurrency PutFunctionRecursionConfig GetFunctionRecursionConfig "
        "GetFunctionCodeSigningConfig GetFunctionScalingConfig GetRuntimeManagementConfig "
        "PutRuntimeManagementConfig CreateAlias GetAlias UpdateAlias DeleteAlias ListAliases"
    ),
    "event-source-mapping:{UUID}": "GetEventSourceMapping UpdateEventSourceMapping DeleteEventSourceMapping",
    "{Resource}": "TagResource UntagResource ListTags",
}
SQS = {
    "{QueueName}": "CreateQueue GetQueueUrl",
    "{QueueUrl}": (
        "SendMessage SendMessageBatch ReceiveMessage DeleteMessage DeleteMessageBatch "
        "ChangeMessageVisibility ChangeMessageVisibilityBatch GetQueueAttributes SetQueueAttributes "
        "DeleteQueue PurgeQueue TagQueue UntagQueue ListQueueTags AddPermission RemovePermission "
        "ListDeadLetterSourceQueues"
    ),
    "{SourceArn}": "StartMessageMoveTask ListMessageMoveTasks",
}
IAM = {
    "role/{RoleName}": (
        "CreateRole GetRole DeleteRole UpdateRole UpdateAssumeRolePolicy PutRolePolicy GetRolePolicy "
        "DeleteRolePolicy ListRolePolicies AttachRolePolicy DetachRolePolicy ListAttachedRolePolicies "
        "TagRole UntagRole ListRoleTags PutRolePermissionsBoundary DeleteRolePermissionsBoundary "
        "ListInstanceProfilesForRole UpdateRoleDescription"
    ),
    "user/{UserName}": (
        "CreateUser GetUser DeleteUser UpdateUser PutUserPolicy GetUserPolicy DeleteUserPolicy "
        "ListUserPolicies AttachUserPolicy DetachUserPolicy ListAttachedUserPolicies CreateAccessKey "
        "DeleteAccessKey ListAccessKeys UpdateAccessKey TagUser UntagUser ListUserTags"
    ),
    "role/aws-service-role/{AWSServiceName}/*": "CreateServiceLinkedRole",
    "policy/{PolicyName}": "CreatePolicy",
    "{PolicyArn}": (
        "GetPolicy DeletePolicy GetPolicyVersion CreatePolicyVersion DeletePolicyVersion "
        "ListPolicyVersions SetDefaultPolicyVersion ListEntitiesForPolicy TagPolicy UntagPolicy "
        "ListPolicyTags"
    ),
    "{PolicySourceArn}": "SimulatePrincipalPolicy GetContextKeysForPrincipalPolicy",
    "oidc-provider/{Url}": "CreateOpenIDConnectProvider",
    "{OpenIDConnectProviderArn}": (
        "GetOpenIDConnectProvider DeleteOpenIDConnectProvider UpdateOpenIDConnectProviderThumbprint "
        "AddClientIDToOpenIDConnectProvider RemoveClientIDFromOpenIDConnectProvider "
        "TagOpenIDConnectProvider UntagOpenIDConnectProvider ListOpenIDConnectProviderTags"
    ),
}
CLOUDFORMATION = {
    "stack/{StackName}/*": (
        "CreateStack UpdateStack DeleteStack DescribeStacks DescribeStackEvents DescribeStackResource "
        "DescribeStackResources ListStackResources GetTemplate GetTemplateSummary CreateChangeSet "
        "DescribeChangeSet ExecuteChangeSet DeleteChangeSet ListChangeSets CancelUpdateStack "
        "ContinueUpdateRollback RollbackStack SetStackPolicy GetStackPolicy UpdateTerminationProtection "
        "DetectStackDrift DetectStackResourceDrift DescribeStackResourceDrifts"
    ),
}
CLOUDWATCH = {
    "alarm:{AlarmName}": "PutMetricAlarm PutCompositeAlarm SetAlarmState DescribeAlarmHistory",
    "alarm:{AlarmNames}": "DeleteAlarms DescribeAlarms EnableAlarmActions DisableAlarmActions",
    "{ResourceARN}": "TagResource UntagResource ListTagsForResource",
}
LOGS = {
    "log-group:{logGroupName}": (
        "CreateLogGroup DeleteLogGroup PutRetentionPolicy DeleteRetentionPolicy DescribeLogStreams "
        "FilterLogEvents AssociateKmsKey DisassociateKmsKey StartQuery PutMetricFilter DeleteMetricFilter "
        "DescribeMetricFilters TagLogGroup UntagLogGroup ListTagsLogGroup PutSubscriptionFilter "
        "DeleteSubscriptionFilter"
    ),
    "log-group:{logGroupName}:log-stream:{logStreamName}": (
        "CreateLogStream DeleteLogStream PutLogEvents GetLogEvents"
    ),
    "{resourceArn}": "TagResource UntagResource ListTagsForResource",
}
EVENTS = {
    "rule/{Name}": "PutRule DescribeRule DeleteRule EnableRule DisableRule",
    "rule/{Rule}": "PutTargets RemoveTargets ListTargetsByRule",
    "{ResourceARN}": "TagResource UntagResource ListTagsForResource",
}
AUTOSCALING = {
    "scalable-target/*": (
        "RegisterScalableTarget DeregisterScalableTarget PutScalingPolicy DeleteScalingPolicy "
        "PutScheduledAction DeleteScheduledAction"
    ),
    "{ResourceARN}": "TagResource UntagResource ListTagsForResource",
}
STS = {"{RoleArn}": "AssumeRole AssumeRoleWithWebIdentity"}
# Whose registry it is, `registryId` says; policies of pullers name it with a star, since AWS's differ by region.
ECR = {"repository/{repositoryName}": "BatchGetImage"}
KMS = {
    "key/{KeyId}": (
        "Encrypt Decrypt GenerateDataKey GenerateDataKeyWithoutPlaintext DescribeKey CreateGrant "
        "GetKeyPolicy PutKeyPolicy EnableKeyRotation DisableKeyRotation GetKeyRotationStatus "
        "ScheduleKeyDeletion CancelKeyDeletion EnableKey DisableKey TagResource UntagResource "
        "ListResourceTags"
    ),
}
SSM = {
    "parameter/{Name}": "GetParameter PutParameter DeleteParameter GetParameterHistory",
    "parameter/{Names}": "GetParameters DeleteParameters",
    "parameter/{Path}": "GetParametersByPath",
}

# Operations whose action bears another name.
ACTIONS = {
    ("lambda", "Invoke"): "InvokeFunction",
    ("lambda", "InvokeAsync"): "InvokeFunction",
    ("sqs", "SendMessageBatch"): "SendMessage",
    ("sqs", "DeleteMessageBatch"): "DeleteMessage",
    ("sqs", "ChangeMessageVisibilityBatch"): "ChangeMessageVisibility",
}
# Where the table departs from the reference, and why.
DEPARTURES = {
    "cloudformation:GetTemplateSummary": "the local AWS has no stack sets",
    "iam:CreateServiceLinkedRole": "such a role lies in a path that the reference does not spell out",
    "logs:PutSubscriptionFilter": "the local AWS has no destinations of other accounts",
    "sagemaker:CreateTrainingJob": "the local AWS has no training plans and no reserved capacity",
    "sagemaker:InvokeEndpoint": "the local AWS has no inference components",
    "sagemaker:InvokeEndpointWithResponseStream": "the local AWS has no inference components",
}
# Sources disagree on what these are checked against: a resource (the reference), or all (the developer guide's table of
# permissions, and policies of AWS's own). A caller needs what satisfies both: the resource is asked for, then all.
DISPUTED = {
    "sagemaker:ListModelPackages",
    "sagemaker:SendPipelineExecutionStepFailure",
    "sagemaker:SendPipelineExecutionStepSuccess",
}


def _by_operation(table: dict[str, str]) -> dict[str, tuple[str, ...]]:
    members: dict[str, tuple[str, ...]] = {}
    for resource, operations in table.items():
        for operation in operations.split():
            members[operation] = (*members.get(operation, ()), resource)
    return members


# service: (how its ARNs begin, the resources of each operation)
RESOURCES: dict[str, tuple[str, dict[str, tuple[str, ...]]]] = {
    "application-autoscaling": (
        "arn:{partition}:application-autoscaling:{region}:{account}:",
        _by_operation(AUTOSCALING),
    ),
    "cloudformation": ("arn:{partition}:cloudformation:{region}:{account}:", _by_operation(CLOUDFORMATION)),
    "cloudwatch": ("arn:{partition}:cloudwatch:{region}:{account}:", _by_operation(CLOUDWATCH)),
    "ecr": ("arn:{partition}:ecr:{region}:{account}:", _by_operation(ECR)),
    "events": ("arn:{partition}:events:{region}:{account}:", _by_operation(EVENTS)),
    "iam": ("arn:{partition}:iam::{account}:", _by_operation(IAM)),
    "kms": ("arn:{partition}:kms:{region}:{account}:", _by_operation(KMS)),
    "lambda": ("arn:{partition}:lambda:{region}:{account}:", _by_operation(LAMBDA)),
    "logs": ("arn:{partition}:logs:{region}:{account}:", _by_operation(LOGS)),
    "sagemaker": ("arn:{partition}:sagemaker:{region}:{account}:", _by_operation(SAGEMAKER)),
    "sqs": ("arn:{partition}:sqs:{region}:{account}:", _by_operation(SQS)),
    "ssm": ("arn:{partition}:ssm:{region}:{account}:", _by_operation(SSM)),
    "sts": ("arn:{partition}:sts:{region}:{account}:", _by_operation(STS)),
}
