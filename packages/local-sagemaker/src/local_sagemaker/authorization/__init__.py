"""IAM: every request is checked against the policies of whoever signed it, as the real AWS does.

:class:`local_sagemaker.authorization.gate.Gate` stands in front of moto's server. The order of evaluation, and what a
condition operator means, follow the IAM user guide ("Policy evaluation logic", "IAM JSON policy elements").
"""
